"""One CLIP in every published form, converted and used as a model is: each finds the same pictures and 3D files.

The image tower of SLIP has another form than that of the others, with the same text tower; its pictures are
compared with the vectors of the checkpoint itself.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_clip
import torch
from cloud_bundles import write_cloud_bundle
from PIL import Image
from small_files import json_lines
from tiny_clip import GELU, WRITERS, TinyClip
from tiny_vocabulary import learn_merges, vocabulary, write_json

import clip3d
from clip3d.models.clip_converting import convert_clip
from clip3d.models.preprocess import ImagePreprocess
from clip3d.spaces import unit

MERGES = learn_merges()
ALIKE = [layout for layout in WRITERS if layout != "slip"]


def tiny(slip=False):
    """Its numbers fit into half precision, as which OpenAI's archive keeps them; all forms have one text tower."""
    clip = TinyClip(image_activation=GELU, slip=True) if slip else TinyClip()
    texts = {k: v for k, v in TinyClip().state_dict().items() if k.startswith(("words", "order", "text", "final"))}
    clip.load_state_dict(texts, strict=False)
    return clip.half().float()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The folders of the converted models by layout."""
    place, found = tmp_path_factory.mktemp("clips"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
        for layout, write in WRITERS.items():
            folder = place / f"{layout}-published"
            folder.mkdir()
            write_json(folder / "tokenizer.json", MERGES)
            path = write(tiny(slip=layout == "slip"), folder)
            if layout == "open_clip":  # its pictures are prepared as those of the others
                config = json.loads((folder / "open_clip_config.json").read_text())
                (folder / "open_clip_config.json").write_text(json.dumps(config | {"preprocess_cfg": {}}))
            found[layout] = convert_clip(path, place / layout, name="tiny").model.folder
        yield found


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Six pictures of different sizes, one of them in a folder of its own, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "deep").mkdir()
    rng = np.random.default_rng(0)
    for i, (width, height) in enumerate([(64, 64), (61, 40), (40, 77), (90, 33), (32, 32), (200, 100)]):
        coarse = Image.fromarray(rng.integers(0, 256, size=(5, 5, 3), dtype=np.uint8))
        coarse.resize((width, height)).save(folder / ("deep" if i == 5 else ".") / f"{i}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def hits(run_cli, *words):
    done = run_cli("search", *words, "--json")
    assert done.returncode == 0, done.stderr
    found = json_lines(done.stdout)
    return [hit["path"] for hit in found], np.array([hit["score"] for hit in found])


def test_pictures_are_found_alike_with_every_form_of_one_clip(models, photos, run_cli):
    for query in (["the red chairs"], ["--image", photos / "1.png"], ["a table", "--image", photos / "3.png"]):
        paths, scores = hits(run_cli, *query, photos, "--model", models["archive"])
        assert len(paths) == 6
        assert len(set(np.round(scores, 3))) > 3, "a query that tells nothing apart proves nothing"
        for layout in ALIKE[1:]:
            found, others = hits(run_cli, *query, photos, "--model", models[layout])
            assert found == paths
            np.testing.assert_allclose(others, scores, atol=1e-5)


def test_a_picture_is_found_by_its_vector_in_slip(models, photos, run_cli):
    model, clip = clip3d.load(models["slip"]), tiny(slip=True)
    prepare = ImagePreprocess.from_card(model.card.towers["image"].preprocess)
    assert prepare.interpolation == "bilinear"
    paths, scores = hits(run_cli, "the red chairs", photos, "--model", models["slip"])
    pixels = np.stack([prepare(Image.open(path)) for path in paths])
    vectors = unit(clip.image(torch.from_numpy(pixels)).numpy())
    np.testing.assert_allclose(scores, vectors @ model.encode_texts(["the red chairs"])[0], atol=1e-5)


def test_3d_files_are_found_alike_with_a_cloud_tower_of_the_space(models, photos, assets, run_cli, tmp_path):
    expected = {}
    for layout, folder in models.items():
        write_cloud_bundle(tmp_path / f"{layout}-clouds", clip3d.load(folder).space)
        joined = tmp_path / layout
        done = run_cli("models", "join", folder, tmp_path / f"{layout}-clouds", "-o", joined, "--json")
        assert done.returncode == 0, done.stderr
        assert sorted(json_lines(done.stdout)[0]["towers"]) == ["cloud", "image", "text"]
        for kind, query in (("text", ["the red chairs"]), ("image", ["--image", photos / "1.png"])):
            if (kind, layout) == ("image", "slip"):
                continue
            paths, scores = hits(run_cli, *query, assets, "--model", joined)
            assert len(paths) == 4
            first = expected.setdefault(kind, (paths, scores))
            assert paths == first[0]
            np.testing.assert_allclose(scores, first[1], atol=1e-5)
    assert run_cli("models", "check", joined).returncode == 0
    done = run_cli("classify", assets, "--labels", "chair,table", "--model", joined, "--json")
    assert len(json_lines(done.stdout)) == 4, done.stderr
    done = run_cli("embed", assets, "-o", tmp_path / "v.npz", "--model", joined, "--json")
    assert json_lines(done.stdout)[0]["n"] == 4


def test_with_views_3d_files_are_found_through_pictures_drawn_of_them(models, assets, run_cli, tmp_path):
    (published,) = models["huggingface"].parent.glob("huggingface-published")
    done = run_cli("models", "convert", published, tmp_path / "seeing", "--views", "--json")
    assert done.returncode == 0, done.stderr
    assert json_lines(done.stdout)[0]["space"] == clip3d.load(models["huggingface"]).space.id
    model = clip3d.load(tmp_path / "seeing")
    paths, scores = hits(run_cli, "the red chairs", assets, "--model", model.folder)
    clouds = [clip3d.read(path) for path in paths]
    expected = model.encode_clouds(clouds) @ model.encode_texts(["the red chairs"])[0]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert run_cli("models", "check", model.folder).returncode == 0
    assert run_cli("search", "a chair", assets, "--model", models["huggingface"]).returncode == 1


def test_pictures_are_named_embedded_and_shown(models, photos, run_cli, tmp_path):
    model = clip3d.load(models["huggingface"])
    done = run_cli("classify", photos, "--labels", "chair,table", "--model", model.folder, "--json")
    assert done.returncode == 0, done.stderr
    (first, *_), images = json_lines(done.stdout), [Image.open(path) for path in sorted(photos.glob("?.png"))]
    labels = model.label_vectors(["chair", "table"])
    odds = model.space.probabilities(model.encode_images(images) @ labels.T)
    assert first["path"] == str(photos / "0.png")
    np.testing.assert_allclose([first["scores"]["chair"], first["scores"]["table"]], odds[0], atol=1e-5)
    done = run_cli("embed", photos, "-o", tmp_path / "v.npz", "--model", model.folder)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "v.npz") as stored:
        assert str(stored["space"]) == model.space.id
        np.testing.assert_allclose(stored["vectors"][:5], model.encode_images(images), atol=1e-5)
    page = tmp_path / "page.html"
    assert run_cli("search", "a chair", photos, "--model", model.folder, "--html", page).returncode == 0
    assert page.read_text().count("data:image/png") == 6


def test_what_is_no_picture_is_told(models, photos, assets, run_cli, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    done = run_cli("search", "a chair", photos, tmp_path / "torn.png", assets, "--model", models["openai"], "-k", 9)
    assert done.returncode == 1
    assert f"{tmp_path / 'torn.png'}: it is not a picture" in done.stderr
    assert f"{assets}: no picture file in this folder or below it" in done.stderr
    assert "2 failed, 6 done" in done.stderr
    done = run_cli("search", "a chair", assets / "tall.off", "--model", models["openai"])
    assert "does not read files named .off as pictures" in done.stderr


def test_texts_and_pictures_are_encoded_where_the_device_says(models, photos, run_cli):
    model = clip3d.load(models["openai"], device="meta")
    for modality in ("image", "text"):
        tower = model.tower(modality)
        module = tower.transformer if modality == "text" else tower
        assert {parameter.device.type for parameter in module.parameters()} == {"meta"}
    done = run_cli("search", "a chair", photos, "--model", models["openai"], "--device", "nonsense")
    assert done.returncode == 2
    assert "cannot run on the device 'nonsense'" in done.stderr
