"""CLIP checkpoints in their published layouts, against torch's layers, transformers, open_clip and timm."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import tiny_clip
import torch
from safetensors.torch import save_file
from tiny_clip import CONTEXT, DIM, GELU, SIZE, TinyClip

from clip3d.errors import ModelError
from clip3d.models.clip_checkpoints import load_clip
from clip3d.models.preprocess import ImagePreprocess

WRITERS = {
    "openai": tiny_clip.write_openai,
    "open_clip": tiny_clip.write_open_clip,
    "huggingface": tiny_clip.write_hugging_face,
    "slip": tiny_clip.write_slip,
}


def assert_same(found, clip):
    pixels, ids = tiny_clip.inputs()
    torch.testing.assert_close(found.image(pixels), clip.image(pixels), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.text(ids), clip.text(ids), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layout_gives_the_vectors_of_the_model_it_was_written_from(layout, tmp_path):
    clip = TinyClip(image_activation=GELU, slip=True) if layout == "slip" else TinyClip()
    found = load_clip(WRITERS[layout](clip, tmp_path))
    assert found.facts.layout == layout
    assert_same(found, clip)
    assert (found.facts.dim, found.facts.image["size"], found.facts.text["context"]) == (DIM, SIZE, CONTEXT)
    assert found.facts.scale == pytest.approx(np.exp(float(clip.logit_scale)), rel=1e-5)
    assert not any(p.requires_grad for tower in (found.image, found.text) for p in tower.parameters())


def test_nothing_is_drawn_from_a_normal_distribution_only_to_be_overwritten(tmp_path, monkeypatch):
    # on the meta device, where towers are built, that would import torch's compiler, which takes seconds
    def drawn(*_):
        raise AssertionError("drawn at random")

    path = tiny_clip.write_openai(TinyClip(), tmp_path)
    monkeypatch.setattr(torch.Tensor, "normal_", drawn)
    load_clip(path)


@pytest.mark.parametrize("layout", ["open_clip", "huggingface"])
def test_the_config_decides_the_activation(layout, tmp_path):
    clip = TinyClip(GELU, GELU)
    assert_same(load_clip(WRITERS[layout](clip, tmp_path, "gelu")), clip)


def test_weights_whose_config_is_lost_need_the_activation_said(tmp_path):
    clip = TinyClip(GELU, GELU)
    tiny_clip.write_open_clip(clip, tmp_path)
    (tmp_path / "open_clip_config.json").unlink()
    with pytest.raises(ModelError, match=r"open_clip_config\.json"):
        load_clip(tmp_path)
    assert_same(load_clip(tmp_path, activation="gelu"), clip)
    with pytest.raises(ModelError, match="unknown activation 'relu'"):
        load_clip(tmp_path, activation="relu")


def test_what_training_left_beside_the_weights_is_not_made(tmp_path):
    clip = TinyClip(image_activation=GELU, slip=True)
    path = tiny_clip.write_slip(clip, tmp_path)
    assert b"numpy.core.multiarray" in path.read_bytes()
    for name in ("slip.pt", "new.pt"):
        assert_same(load_clip(tmp_path / name), clip)


def test_half_precision_weights_become_float32(tmp_path):
    clip = TinyClip().half().float()
    save_file({k: t.half() for k, t in tiny_clip.openai_state(clip).items()}, tmp_path / "half.safetensors")
    assert_same(load_clip(tmp_path / "half.safetensors"), clip)


def test_the_preparation_of_pictures_comes_with_the_weights(tmp_path):
    found = load_clip(tiny_clip.write_openai(TinyClip(), tmp_path)).facts.preprocess
    prepare = ImagePreprocess.from_card(found)
    picture = np.zeros((40, 60, 3), np.uint8)
    np.testing.assert_allclose(prepare(picture)[0], -0.48145466 / 0.26862954, rtol=1e-5)
    assert prepare(picture).shape == (3, SIZE, SIZE)
    slip = load_clip(tiny_clip.write_slip(TinyClip(slip=True), tmp_path)).facts.preprocess
    assert (slip["mean"], slip["interpolation"]) == ([0.485, 0.456, 0.406], "bilinear")
    (tmp_path / "oc").mkdir()
    assert load_clip(tiny_clip.write_open_clip(TinyClip(), tmp_path / "oc")).facts.preprocess["mean"] == [0.5] * 3
    (tmp_path / "hf").mkdir()
    tiny_clip.write_hugging_face(TinyClip(), tmp_path / "hf")
    told = {"image_mean": [0.1, 0.2, 0.3], "resample": 2}
    tiny_clip.write_json(told, tmp_path / "hf" / "preprocessor_config.json")
    found = load_clip(tmp_path / "hf").facts.preprocess
    assert (found["mean"], found["interpolation"]) == ([0.1, 0.2, 0.3], "bilinear")


def test_the_tokenizer_beside_the_weights_is_found(tmp_path):
    path = tiny_clip.write_openai(TinyClip(), tmp_path)
    assert load_clip(path).facts.tokenizer is None
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert load_clip(path).facts.tokenizer == tmp_path / "tokenizer.json"


STATES = {
    "openai": tiny_clip.openai_state,
    "huggingface": tiny_clip.hugging_face_state,
    "slip": tiny_clip.slip_state,
}


def write_state(state, tmp_path):
    save_file(state, tmp_path / "model.safetensors")
    heads = {"vision_config": {"num_attention_heads": 2}, "text_config": {"num_attention_heads": 1}}
    tiny_clip.write_json(heads, tmp_path / "config.json")
    return tmp_path


@pytest.mark.parametrize("layout", STATES)
def test_a_key_that_is_missing_or_left_over_is_named(layout, tmp_path):
    state = STATES[layout](TinyClip(slip=layout == "slip"))
    last = sorted(key for key in state if ".1." in key)[-1]
    missing = {key: tensor for key, tensor in state.items() if key != last}
    with pytest.raises(ModelError, match=last):
        load_clip(write_state(missing, tmp_path))
    with pytest.raises(ModelError, match=r"visual\.adapter"):
        load_clip(write_state(state | {"visual.adapter.weight": torch.ones(1)}, tmp_path))


@pytest.mark.parametrize("layout", STATES)
def test_every_tensor_of_another_shape_is_refused(layout, tmp_path):
    state = STATES[layout](TinyClip(slip=layout == "slip"))
    unused = re.compile(r"image_mlp|position_ids|input_resolution|context_length|vocab_size")
    for key in [key for key in state if not unused.search(key)]:
        with pytest.raises(ModelError) as refusal:
            load_clip(write_state(state | {key: torch.zeros(*state[key].shape[:-1], 7)}, tmp_path))
        if ".1." in key and not re.search("[kv]_proj", key):
            assert repr(key) in str(refusal.value)


def test_other_models_are_refused(tmp_path):
    cases = {
        "a": ({"a": torch.ones(1)}, "first key is 'a'"),
        "resnet": ({"visual.layer1.0.conv1.weight": torch.ones(1)}, "ResNet"),
        "empty": ({}, "no tensors"),
    }
    for name, (state, words) in cases.items():
        torch.save(state, tmp_path / f"{name}.pt")
        with pytest.raises(ModelError, match=words):
            load_clip(tmp_path / f"{name}.pt")
    torch.save([torch.ones(1)], tmp_path / "list.pt")
    (tmp_path / "torn.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 and no more")
    for name in ("list.pt", "torn.safetensors", "torn.pt"):
        with pytest.raises(ModelError):
            load_clip(tmp_path / name)
    with pytest.raises(ModelError, match="name the file itself"):
        load_clip(tmp_path)
    with pytest.raises(ModelError, match="no such file"):
        load_clip(tmp_path / "nowhere")


def test_nothing_in_a_file_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        load_clip(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("vision_cfg", "pool_type", "avg"),
        ("vision_cfg", "timm_model_name", "convnext"),
        ("text_cfg", "no_causal_mask", True),
        ("text_cfg", "hf_tokenizer_name", "xlm"),
        ("text_cfg", "heads", 5),
    ],
)
def test_a_config_that_asks_for_another_model_is_refused(where, key, value, tmp_path):
    tiny_clip.write_open_clip(TinyClip(), tmp_path)
    path = tmp_path / "open_clip_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_cfg"][where][key] = value
    tiny_clip.write_json(config, path)
    with pytest.raises(ModelError, match=rf"{key}|{value} heads"):
        load_clip(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"model_cfg": 3}', '{"model_cfg": {"vision_cfg": {}}}', "[" * 9999])
def test_a_damaged_config_is_refused(text, tmp_path):
    tiny_clip.write_open_clip(TinyClip(), tmp_path)
    (tmp_path / "open_clip_config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"open_clip_config\.json"):
        load_clip(tmp_path)


@pytest.mark.parametrize(
    "tables",
    [
        {"vision_config": [1]},
        {"vision_config": {"num_attention_heads": -1}},
        {"vision_config": {"num_attention_heads": 1e999}},
        {"text_config": {"layer_norm_eps": None}},
        {"text_config": {"hidden_act": "gelu_new"}},
    ],
    ids=str,
)
def test_a_config_of_hugging_face_with_odd_values_is_refused(tables, tmp_path):
    tiny_clip.write_hugging_face(TinyClip(), tmp_path)
    tiny_clip.write_json(tables, tmp_path / "config.json")
    with pytest.raises(ModelError):
        load_clip(tmp_path)


def test_a_squashed_picture_or_another_end_of_text_is_refused(tmp_path):
    tiny_clip.write_hugging_face(TinyClip(), tmp_path)
    for key, value in (("resample", 0), ("resample", [3]), ("do_center_crop", False)):
        tiny_clip.write_json({key: value}, tmp_path / "preprocessor_config.json")
        with pytest.raises(ModelError, match=f"{key}|unhashable"):
            load_clip(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    tiny_clip.write_json({"text_config": {"eos_token_id": 7}}, tmp_path / "config.json")
    with pytest.raises(ModelError, match="token 7"):
        load_clip(tmp_path)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"size": SIZE, "crop_size": SIZE}, None),
        ({"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}, None),
        ({"size": {"shortest_edge": 2 * SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}, "pixels a side"),
        ({"size": SIZE, "crop_size": SIZE - 8}, "pixels a side"),
        ({"size": {"height": SIZE, "width": SIZE}}, "asks for 'size'"),
    ],
    ids=str,
)
def test_pictures_of_another_size_than_the_towers_are_refused(told, reason, tmp_path):
    tiny_clip.write_hugging_face(TinyClip(), tmp_path)
    tiny_clip.write_json(told, tmp_path / "preprocessor_config.json")
    if reason is None:
        assert load_clip(tmp_path).facts.preprocess["size"] == SIZE
    else:
        with pytest.raises(ModelError, match=reason):
            load_clip(tmp_path)


def test_a_config_of_open_clip_with_another_size_of_pictures_is_refused(tmp_path):
    path = tiny_clip.write_open_clip(TinyClip(), tmp_path)
    config = json.loads((path / "open_clip_config.json").read_text())
    for size in (SIZE, [SIZE, SIZE]):
        tiny_clip.write_json(config | {"preprocess_cfg": {"size": size}}, path / "open_clip_config.json")
        load_clip(path)
    tiny_clip.write_json(config | {"preprocess_cfg": {"size": [SIZE, 2 * SIZE]}}, path / "open_clip_config.json")
    with pytest.raises(ModelError, match="pixels a side"):
        load_clip(path)


# Shapes of OpenAI's models; few layers, since each is like the next.
SHAPES = {
    "B/32": ({"patch_size": 32}, {}, 512),
    "B/16": ({"patch_size": 16}, {}, 512),
    "L/14": (
        {"patch_size": 14, "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16},
        {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12},
        768,
    ),
}


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
@pytest.mark.parametrize("shape", ["B/32", "B/16", pytest.param("L/14", marks=pytest.mark.slow)])
def test_vectors_are_those_of_transformers(shape, activation, tmp_path):
    transformers = pytest.importorskip("transformers")
    image, text, dim = SHAPES[shape]
    few = {"num_hidden_layers": 2, "hidden_act": activation, "projection_dim": dim}
    words = {"vocab_size": 1000, "bos_token_id": 998, "eos_token_id": 999}
    torch.manual_seed(0)
    config = transformers.CLIPConfig(vision_config=image | few, text_config=text | few | words, projection_dim=dim)
    theirs = transformers.CLIPModel(config).eval()
    theirs.save_pretrained(tmp_path)
    ours = load_clip(tmp_path)
    assert ours.facts.image["activation"] == activation
    pixels, ids = torch.randn(2, 3, 224, 224), torch.randint(0, 998, (3, 77))
    ids[0, -1] = ids[1, 20:] = ids[2, 5:] = 999
    with torch.no_grad():
        image_vectors = pooled(theirs.get_image_features(pixel_values=pixels))
        text_vectors = pooled(theirs.get_text_features(input_ids=ids))
    torch.testing.assert_close(ours.image(pixels), image_vectors, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.text(ids), text_vectors, atol=1e-5, rtol=0)
    # the texts' ends are filled up: without that the vectors stay
    torch.testing.assert_close(ours.text(ids[1:, :21]), text_vectors[1:], atol=1e-5, rtol=0)


def pooled(features):
    """A tensor in earlier versions of transformers, in later ones a record that has it."""
    return features if isinstance(features, torch.Tensor) else features.pooler_output


@pytest.mark.parametrize("quick", [False, True])
def test_vectors_are_those_of_open_clip(quick, tmp_path):
    open_clip = pytest.importorskip("open_clip")
    image = {"image_size": SIZE, "layers": 2, "width": 160, "head_width": 80, "patch_size": 8, "mlp_ratio": 3.5}
    text = {"context_length": CONTEXT, "vocab_size": 96, "width": 64, "heads": 2, "layers": 2}
    model = {"embed_dim": DIM, "quick_gelu": quick, "vision_cfg": image, "text_cfg": text}
    torch.manual_seed(0)
    theirs = open_clip.CLIP(DIM, image, text, quick_gelu=quick).eval()
    save_file(theirs.state_dict(), tmp_path / "open_clip_model.safetensors")
    tiny_clip.write_json({"model_cfg": model}, tmp_path / "open_clip_config.json")
    ours = load_clip(tmp_path)
    pixels, ids = tiny_clip.inputs()
    with torch.no_grad():
        torch.testing.assert_close(ours.image(pixels), theirs.encode_image(pixels), atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.text(ids), theirs.encode_text(ids), atol=1e-5, rtol=0)


def test_the_image_tower_of_slip_is_that_of_timm(tmp_path):
    timm = pytest.importorskip("timm")
    clip = TinyClip(slip=True)
    state = tiny_clip.slip_state(clip)
    torch.manual_seed(0)
    # the small tower: 12 heads at a width of 384
    theirs = timm.models.VisionTransformer(
        img_size=SIZE, patch_size=8, embed_dim=384, depth=2, num_heads=12, num_classes=0, global_pool="token"
    ).eval()
    state = {key: tensor for key, tensor in state.items() if not key.startswith("visual.")}
    state |= {f"visual.{key}": tensor for key, tensor in theirs.state_dict().items()}
    state["image_projection"] = torch.randn(384, DIM) / 20
    torch.save(state, tmp_path / "slip.pt")
    pixels, _ = tiny_clip.inputs()
    with torch.no_grad():
        expected = theirs(pixels) @ state["image_projection"]
    torch.testing.assert_close(load_clip(tmp_path / "slip.pt").image(pixels), expected, atol=1e-5, rtol=0)
