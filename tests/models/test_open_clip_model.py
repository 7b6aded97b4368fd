"""Models of open_clip, used as any model is: a stand-in for the package, and the package where it is installed."""

from __future__ import annotations

import json
import sys
import warnings
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from small_files import json_lines
from tiny_clip import Bag
from torch import nn

import clip3d
from clip3d.errors import MissingExtra, ModelError
from clip3d.models.checking import check_model
from clip3d.models.joining import join_models
from clip3d.spaces import unit

WORDS = ["red", "green", "blue"]


class Colors(nn.Module):
    """Mean colour of a picture, and the colours that a text names."""

    def __init__(self, architecture="Tiny", quick_gelu=False):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))
        self.logit_scale = nn.Parameter(torch.tensor(2.0))
        self.visual = SimpleNamespace(preprocess_cfg={"size": 8, "mean": (0.5, 0.5, 0.5)})
        self.quick_gelu = quick_gelu

    def encode_image(self, pixels):
        return pixels.mean((2, 3)) * self.gain

    def encode_text(self, ids):
        return (ids + 0.01) * self.gain


def prepare(image):
    assert image.mode == "RGB"
    return torch.from_numpy(np.asarray(image.resize((8, 8)), np.float32).transpose(2, 0, 1) / 255 - 0.5)


def tokenize(texts):
    return torch.tensor([[word in text for word in WORDS] for text in texts])


@pytest.fixture
def stand_in(monkeypatch):
    """In place of open_clip: one architecture with three published weights."""
    package = ModuleType("open_clip")
    package.made, package.configs = [], {"Tiny": {}, "Tiny-quickgelu": {"quick_gelu": True}}
    package.tags = {"first": {"mean": (0.5,) * 3, "quick_gelu": True}, "second": {"mean": (0.5,) * 3}}

    def create(architecture, **options):
        package.made.append((architecture, options))
        return Colors(architecture, options["force_quick_gelu"]), None, prepare

    package.create_model_and_transforms = create
    package.get_model_config = package.configs.get
    package.list_pretrained_tags_by_model = lambda architecture: list(package.tags)
    package.get_pretrained_cfg = lambda architecture, tag: package.tags[tag]
    package.load_checkpoint = lambda model, path, **_: model.load_state_dict(load_file(path), strict=True)
    package.get_tokenizer = lambda architecture: tokenize
    monkeypatch.setitem(sys.modules, "open_clip", package)
    return package


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for color in WORDS:
        Image.new("RGB", (20, 10), color).save(tmp_path / "photos" / f"{color}.png")
    return tmp_path / "photos"


@pytest.fixture
def weights(tmp_path):
    save_file(Colors().state_dict(), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def test_pictures_are_found_named_and_embedded(stand_in, photos, weights, run_cli, tmp_path):
    name = f"open_clip:Tiny/{weights}"
    done = run_cli("search", "a red thing", photos, "--model", name, "--json", "-k", 1)
    assert done.returncode == 0, done.stderr
    (hit,) = json_lines(done.stdout)
    assert hit["path"] == str(photos / "red.png")
    assert hit["model"].startswith("Tiny/w.safetensors@")
    found = run_cli("search", "--image", photos / "blue.png", photos, "--model", name, "--json")
    assert json_lines(found.stdout)[0]["path"] == str(photos / "blue.png")
    labels = run_cli("classify", photos, "--labels", "red,green,blue", "--model", name, "--json")
    assert [record["label"] for record in json_lines(labels.stdout)] == ["blue", "green", "red"]
    assert run_cli("embed", photos, "-o", tmp_path / "v.npz", "--model", name).returncode == 0
    card = json.loads(run_cli("models", "show", name, "--json").stdout)
    assert card["towers"]["image"]["architecture"] == "open_clip"
    assert run_cli("models", "check", name).returncode == 2


def test_vectors_are_those_of_the_package_and_its_own_preparation(stand_in, weights):
    model, own = clip3d.load(f"open_clip:Tiny/{weights}"), Colors()
    clear = Image.new("RGBA", (9, 9), (255, 0, 0, 0))
    white = prepare(Image.new("RGB", (9, 9), "white"))[None]
    with torch.no_grad():
        np.testing.assert_allclose(model.encode_images([clear]), unit(own.encode_image(white).numpy()), atol=1e-6)
    assert model.encode_texts(["red"] * 130).shape == (130, 3), "more than one batch"
    assert model.encode_texts([]).shape == (0, 3)
    assert model.space.scale == pytest.approx(np.exp(2.0))
    assert not model.space.mean.any()


def test_the_same_weights_have_one_space_and_others_another(stand_in, weights, tmp_path):
    space = clip3d.load(f"open_clip:Tiny/{weights}").space.id
    weights.rename(tmp_path / "moved.safetensors")
    assert clip3d.load(f"open_clip:Tiny/{tmp_path / 'moved.safetensors'}").space.id == space
    save_file({**Colors().state_dict(), "gain": torch.zeros(3) + 0.5}, weights)
    others = {clip3d.load(f"open_clip:{arch}/{weights}").space.id for arch in ("Tiny", "Tiny-quickgelu")}
    assert len({space, *others}) == 3


def test_a_tag_brings_its_activation_and_never_random_weights(stand_in):
    clip3d.load("open_clip:Tiny/first")
    (_, options) = stand_in.made[-1]
    assert (options["pretrained"], options["force_quick_gelu"]) == ("first", True)
    assert options["require_pretrained"] is True
    clip3d.load("open_clip:Tiny/second")
    assert stand_in.made[-1][1]["force_quick_gelu"] is False
    with pytest.raises(ModelError, match="second was not trained with the activation of Tiny-quickgelu"):
        clip3d.load("open_clip:Tiny-quickgelu/second")
    clip3d.load("hf-hub:maker/tiny")
    assert stand_in.made[-1][1]["require_pretrained"] is True


def test_a_file_is_prepared_as_all_published_weights_are_or_refused(stand_in, weights):
    clip3d.load(f"open_clip:Tiny/{weights}")
    assert stand_in.made[-1][1]["image_mean"] == (0.5,) * 3
    stand_in.tags["third"] = {"mean": (0.1,) * 3}
    with pytest.raises(ModelError, match="in different ways"):
        clip3d.load(f"open_clip:Tiny/{weights}")
    clip3d.load("open_clip:Tiny/third")


def test_a_torchscript_archive_is_read_without_running_it(stand_in, tmp_path):
    state = {**Colors().state_dict(), "input_resolution": torch.tensor(8)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Bag(state), torch.ones(1)).save(str(tmp_path / "RN.pt"))
    assert clip3d.load(f"open_clip:Tiny-quickgelu/{tmp_path / 'RN.pt'}").encode_texts(["red"]).shape == (1, 3)
    with pytest.raises(ModelError, match="OpenAI's weights: name an architecture that ends in -quickgelu"):
        clip3d.load(f"open_clip:Tiny/{tmp_path / 'RN.pt'}")


def test_what_cannot_be_loaded_or_needs_a_folder_is_told(stand_in, weights, bundle, tmp_path):
    with pytest.raises(ModelError, match="none of its architectures"):
        clip3d.load(f"open_clip:Tyni/{weights}")
    with pytest.raises(ModelError, match="cannot run on the device 'nonsense'"):
        clip3d.load(f"open_clip:Tiny/{weights}", device="nonsense")
    model = clip3d.load(f"open_clip:Tiny/{weights}")
    with pytest.raises(ModelError, match="no folder with a card"):
        check_model(model)
    with pytest.raises(ModelError, match="no folder with a card"):
        join_models([model, clip3d.load(bundle)], tmp_path / "joined")


def test_without_the_package_the_extra_is_named(weights, run_cli, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingExtra, match=r'pip install "clip3d\[clip\]"'):
        clip3d.load(f"open_clip:Tiny/{weights}")
    done = run_cli("search", "red", photos, "--model", f"open_clip:Tiny/{weights}")
    assert (done.returncode, 'pip install "clip3d[clip]"' in done.stderr) == (2, True)


TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1}
CONFIGS = {
    "tiny-resnet": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
        "text_cfg": TEXT,
    },
    "tiny-sigmoid": {
        "embed_dim": 16,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16, "pool_type": "avg"},
        "text_cfg": {**TEXT, "no_causal_mask": True, "proj_bias": True, "pool_type": "last"},
    },
}


@pytest.mark.parametrize("architecture", CONFIGS)
def test_vectors_are_those_of_the_true_package(architecture, tmp_path):
    open_clip = pytest.importorskip("open_clip")
    (tmp_path / f"{architecture}.json").write_text(json.dumps(CONFIGS[architecture]), encoding="utf-8")
    open_clip.add_model_config(tmp_path / f"{architecture}.json")
    torch.manual_seed(0)
    theirs, _, transform = open_clip.create_model_and_transforms(architecture)
    theirs.eval()
    save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    save_file(theirs.state_dict(), folder / "open_clip_model.safetensors")
    told = {"model_cfg": CONFIGS[architecture], "preprocess_cfg": {"resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(told), encoding="utf-8")
    picture = Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 50).convert("RGB")
    phrases = ["a chair", "a street at night"]
    model = clip3d.load(f"open_clip:{architecture}/{tmp_path / 'w.safetensors'}")
    other = clip3d.load(f"open_clip:{folder}")
    with torch.no_grad():
        pictures = unit(theirs.encode_image(transform(picture)[None]).numpy())
        texts = unit(theirs.encode_text(open_clip.get_tokenizer(architecture)(phrases)).numpy())
    np.testing.assert_allclose(model.encode_images([picture]), pictures, atol=1e-5)
    np.testing.assert_allclose(model.encode_texts(phrases), texts, atol=1e-5)
    np.testing.assert_allclose(other.encode_texts(phrases), texts, atol=1e-5)
    assert np.abs(other.encode_images([picture]) - pictures).max() > 1e-4, "the folder's config squashes pictures"
    (folder / "open_clip_model.safetensors").unlink()
    save_file({"a": torch.ones(1)}, folder / "open_clip_model.safetensors")
    with pytest.raises(ModelError):
        clip3d.load(f"open_clip:{folder}")
