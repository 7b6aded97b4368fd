"""Checkpoints in the published layouts: they load whole and give the published numbers, or are refused by key."""

from __future__ import annotations

import json
import re
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import published_encoders as published
import pytest
import torch
from published_encoders import State, linear, transformer, under
from small_files import make_bundle

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.errors import ModelError
from clip3d.models.encoder_checkpoints import LoadedEncoder, load_encoder
from clip3d.models.encoder_layouts import LAYOUTS, layout_of
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of, write_arrays, write_json

WIDTH, HEADS = 24, 3
FEW = {"centers": 5, "neighbors": 4}
FEW_ANCHORS: dict[str, Any] = {"anchors": (10, 6, 4, 2), "neighbors": 5}
MLP_LAST = 20


def cg3d_transformer() -> State:
    head = linear("cls_head_finetune.0", 256, 2 * WIDTH) | linear("cls_head_finetune.3", 55, 256)
    return transformer() | linear("projection", 10, 2 * WIDTH) | head


def cg3d_mlp() -> State:
    return published.mlp() | linear("projection", 10, MLP_LAST, 1)


def ulip_transformer(inputs: int = 3) -> State:
    projection = {"pc_projection": linear("p", 2 * WIDTH, 10)["p.weight"]}
    return under("point_encoder.", transformer(inputs=inputs)) | projection | published.teachers()


def ulip_mlp() -> State:
    encoder = published.mlp() | published.classifier(MLP_LAST, 14, 12)
    projection = {"pc_projection": linear("p", 12, 10)["p.weight"]}
    return under("point_encoder.", encoder) | projection | published.teachers()


def point_bert() -> State:
    extra = {"mask_token": torch.zeros(1, 1, WIDTH)} | linear("lm_head", 32, WIDTH)
    extra |= linear("cls_head.0", 12, WIDTH) | linear("cls_head.2", 12, 12)
    both = transformer() | extra
    dvae = {"dvae.codebook": torch.zeros(32, 8)} | under("dvae.", published.group_encoder(3, 20))
    queue = {"queue": torch.zeros(12, 16), "queue_ptr": torch.zeros(1, dtype=torch.long)}
    return under("transformer_q.", both) | under("transformer_k.", both) | dvae | queue


def point_mae() -> State:
    encoder = under("MAE_encoder.", transformer(group_width=None, tokens=False))
    decoder = published.transformer_blocks("MAE_decoder", 1, WIDTH)
    decoder |= published.layer_norm("MAE_decoder.norm", WIDTH)
    heads = linear("increase_dim.0", 96, WIDTH, 1) | published.positions("decoder_pos_embed", WIDTH)
    return encoder | decoder | heads | {"mask_token": torch.zeros(1, 1, WIDTH)}


def fine_tuned_mae() -> State:
    head = linear("cls_head_finetune.0", 256, 2 * WIDTH) | published.batch_norm("cls_head_finetune.1", 256)
    return transformer(group_width=None) | head | linear("cls_head_finetune.8", 40, 256)


def point_mlp_classifier() -> State:
    return published.mlp() | published.classifier(MLP_LAST, 14, 12, classes=40)


ALL: dict[str, tuple[State, str, dict[str, Any]]] = {
    "CG3D PointTransformer": (cg3d_transformer(), "base_model", {"heads": HEADS, **FEW}),
    "CG3D PointMLP": (cg3d_mlp(), "base_model", FEW_ANCHORS),
    "ULIP PointBERT": (ulip_transformer(), "state_dict", {"heads": HEADS, **FEW}),
    "ULIP PointMLP": (ulip_mlp(), "state_dict", FEW_ANCHORS),
    "Point-BERT, pre-trained": (point_bert(), "base_model", {"heads": HEADS, **FEW}),
    "Point-MAE, pre-trained": (
        point_mae(), "base_model", {"heads": HEADS, **FEW, "fresh": ("cls_token", "cls_place")}
    ),
    "Point-BERT or Point-MAE, fine-tuned": (fine_tuned_mae(), "base_model", {"heads": HEADS, **FEW}),
    "PointMLP classifier": (point_mlp_classifier(), "net", FEW_ANCHORS),
}  # fmt: skip


def load(tmp_path: Path, state: State, table: str = "base_model", **settings: Any) -> LoadedEncoder:
    path = tmp_path / "published.pth"
    torch.save({table: state, "epoch": 3, "optimizer": {"state": {}, "param_groups": []}}, path)
    return load_encoder(path, **settings)


def clouds(inputs: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Clouds (2, 30, inputs) as the repositories see them, y up, and the points with z up."""
    theirs = torch.randn(2, 30, inputs, generator=torch.Generator().manual_seed(1))
    x, y, z = theirs[..., :3].unbind(-1)
    return theirs, torch.stack([x, -z, y], -1)


def test_every_layout_is_tried() -> None:
    of_clouds = {layout.name for layout in LAYOUTS if layout.architecture != "sparse-transformer"}
    assert set(ALL) == of_clouds


@pytest.mark.parametrize("name", ALL)
def test_a_layout_is_told_by_its_keys_and_its_heads_are_dropped(name: str, tmp_path: Path) -> None:
    state, table, settings = ALL[name]
    loaded = load(tmp_path, under("module.", state), table, **settings)
    assert loaded.layout == name
    assert not loaded.tower.training
    assert set(loaded.dropped) < set(state)
    kept = sum(t.numel() for key, t in state.items() if key not in loaded.dropped)
    added = WIDTH * 2 if loaded.fresh else loaded.config["dim"] if "ULIP" in name else 0
    assert sum(t.numel() for t in loaded.tower.state_dict().values()) == kept + added


def published_vectors(name: str, theirs: torch.Tensor, loaded: LoadedEncoder) -> torch.Tensor:
    """What the repository's encoder gives for clouds (b, p, 3) with y up."""
    state = ALL[name][0]
    prefix = next(layout.prefix for layout in LAYOUTS if layout.name == name)
    encoder = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    if "MLP" in name:
        feature = published.mlp_feature(encoder, theirs, FEW_ANCHORS["anchors"], FEW_ANCHORS["neighbors"])
    else:
        if loaded.fresh:
            encoder |= {"cls_token": loaded.tower.cls_token, "cls_pos": loaded.tower.cls_place}
        feature = published.transformer_feature(encoder, theirs, FEW["centers"], FEW["neighbors"], HEADS)
    if "pc_projection" in state:
        return published.classifier_hidden(encoder, feature) @ state["pc_projection"]
    if "projection.weight" in state:
        return feature @ state["projection.weight"].flatten(1).T + state["projection.bias"]
    return feature


@torch.no_grad()
@pytest.mark.parametrize("name", ALL)
def test_an_encoder_gives_the_published_numbers(name: str, tmp_path: Path) -> None:
    state, table, settings = ALL[name]
    loaded, (theirs, points) = load(tmp_path, state, table, **settings), clouds()
    vectors = loaded.tower(points, torch.zeros(2, 30, 3))
    torch.testing.assert_close(vectors, published_vectors(name, theirs, loaded), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_colored_encoder_of_ulip_2_gives_the_published_numbers(tmp_path: Path) -> None:
    state = {k: v for k, v in ulip_transformer(inputs=6).items() if k not in published.teachers()}
    state |= {"logit_scale": torch.tensor(2.6), "open_clip_model.positional_embedding": torch.zeros(7, 8)}
    loaded, (theirs, points) = load(tmp_path, state, "state_dict", heads=HEADS, **FEW), clouds(inputs=6)
    assert loaded.config["colored"]
    encoder = {key.removeprefix("point_encoder."): tensor for key, tensor in state.items()}
    expected = published.transformer_feature(encoder, theirs, FEW["centers"], FEW["neighbors"], HEADS)
    got = loaded.tower(points, theirs[..., 3:])
    torch.testing.assert_close(got, expected @ state["pc_projection"], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_convention_a_checkpoint_with_z_up_is_not_turned(tmp_path: Path) -> None:
    state, table, settings = ALL["CG3D PointTransformer"]
    theirs, points = clouds()
    colors = torch.zeros(2, 30, 3)
    as_is = load(tmp_path, state, table, up="z", **settings).tower(theirs, colors)
    turned = load(tmp_path, state, table, **settings).tower(points, colors)
    torch.testing.assert_close(as_is, turned, atol=1e-5, rtol=1e-5)


def test_the_configuration_is_that_of_the_tensors(tmp_path: Path) -> None:
    state = transformer(width=128, layers=3) | linear("projection", 10, 256)
    config = load(tmp_path, state).config
    assert config == {
        "dim": 10, "width": 128, "layers": 3, "heads": 2, "group_width": 20, "colored": False
    }  # fmt: skip
    assert load(tmp_path, ulip_transformer(), "state_dict").config["centers"] == 512
    config = load(tmp_path, ulip_mlp(), "state_dict").config
    assert config["anchors"] == [512, 256, 128, 64]
    assert config["head"] == [14, 12]


@torch.no_grad()
@pytest.mark.parametrize("name", ["CG3D PointTransformer", "ULIP PointMLP"])
def test_convention_a_model_made_of_it_gives_the_published_vector_of_a_cloud_with_y_up(
    name: str, tmp_path: Path
) -> None:
    state, table, settings = ALL[name]
    loaded = load(tmp_path, state, table, **settings)
    theirs = normalize_unit_sphere(np.random.default_rng(0).normal(size=(40, 3)))[0]
    model = Model(bundle_with(loaded, tmp_path / "bundle"))
    vector = model.encode_clouds([PointCloud(3 * theirs + 1, up="y")], normalize=False)
    expected = published_vectors(name, torch.from_numpy(theirs)[None], loaded)
    torch.testing.assert_close(torch.from_numpy(vector), expected, atol=1e-5, rtol=1e-5)


def bundle_with(loaded: LoadedEncoder, folder: Path) -> Path:
    """A model in the true format whose cloud tower is this one."""
    make_bundle(folder)
    weights = folder / "cloud.safetensors"
    write_arrays({key: tensor.numpy() for key, tensor in loaded.tower.state_dict().items()}, weights)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["towers"]["cloud"] |= {
        "architecture": loaded.architecture,
        "config": loaded.config,
        "weights": weights.name,
        "sha256": sha256_of(weights),
    }
    write_json(card, folder / "card.json")
    return folder


@pytest.mark.parametrize("name", ALL)
def test_a_lacking_tensor_is_named(name: str, tmp_path: Path) -> None:
    state, table, settings = ALL[name]
    kept = load(tmp_path, state, table, **settings)
    marks = next(layout.marks for layout in LAYOUTS if layout.name == name)
    wanted = [key for key in state if key not in kept.dropped and key not in marks]
    for key in wanted[:: max(len(wanted) // 8, 1)]:
        with pytest.raises(ModelError, match=re.escape(repr(key))):
            load(tmp_path, {k: v for k, v in state.items() if k != key}, table, **settings)


@pytest.mark.parametrize("name", ALL)
def test_one_tensor_too_many_is_named(name: str, tmp_path: Path) -> None:
    state, table, settings = ALL[name]
    for key in ("prompt_embeddings", "blocks.blocks.7.norm1.weight", "pos_blocks_list.0.operation.9.net1.0.weight"):
        key = next(layout.prefix for layout in LAYOUTS if layout.name == name) + key
        with pytest.raises(ModelError, match=re.escape(key.partition(".9")[0].partition(".7")[0])):
            load(tmp_path, {**state, key: torch.zeros(3, 3)}, table, **settings)


@pytest.mark.parametrize(
    ("name", "key", "shape"),
    [
        ("CG3D PointTransformer", "encoder.second_conv.0.weight", (512, 256, 1)),
        ("CG3D PointTransformer", "encoder.first_conv.0.weight", (128, 5, 1)),
        ("CG3D PointTransformer", "cls_pos", (1, 2, WIDTH)),
        ("CG3D PointTransformer", "projection.weight", (2 * WIDTH, 10)),
        ("Point-BERT, pre-trained", "transformer_q.blocks.blocks.1.attn.qkv.weight", (WIDTH, WIDTH)),
        ("CG3D PointMLP", "local_grouper_list.1.affine_beta", (1, 1, 8, 1)),
        ("ULIP PointMLP", "pc_projection", (10, 13)),
        ("ULIP PointMLP", "pc_projection", (10,)),
        ("ULIP PointMLP", "point_encoder.classifier.4.weight", ()),
    ],
)
def test_a_tensor_of_another_shape_is_named(name: str, key: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    state, table, settings = ALL[name]
    with pytest.raises(ModelError, match=re.escape(repr(key))):
        load(tmp_path, {**state, key: torch.zeros(shape)}, table, **settings)


def test_no_part_starts_anew_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks 'MAE_encoder.cls_token' .*fresh=\(\"cls_token\",\)"):
        load(tmp_path, point_mae(), heads=HEADS)
    with pytest.raises(ModelError, match=r"lacks 'transformer_q.projection\.weight'"):
        load(tmp_path, point_bert(), dim=10)
    loaded = load(tmp_path, point_bert(), dim=10, fresh=["project"])
    assert loaded.fresh == ("project",)
    assert loaded.config["dim"] == 10


@pytest.mark.parametrize("part", ["project", "blocks", "prompts"])
def test_what_a_checkpoint_holds_cannot_start_anew(part: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"'{part}' cannot be fresh"):
        load(tmp_path, cg3d_transformer(), heads=HEADS, fresh=[part])


def test_notes_beside_the_tensors_are_read_without_being_run(tmp_path: Path) -> None:
    path = tmp_path / "ulip.pt"
    notes = {"args": Namespace(model="ULIP_PN_MLP", betas=(0.9, 0.98)), "best_acc1": np.float64(60.0)}
    torch.save({"state_dict": under("module.", ulip_mlp()), **notes, "epoch": "last"}, path)
    assert load_encoder(path).layout == "ULIP PointMLP"
    as_numpy_1_wrote_it(path)
    assert load_encoder(path).layout == "ULIP PointMLP"


def as_numpy_1_wrote_it(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray"))


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "harmful.pth"
    torch.save({"base_model": cg3d_mlp(), "metrics": Harmful(tmp_path / "was_run")}, path)
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        load_encoder(path)
    assert not (tmp_path / "was_run").exists()


class Harmful:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.path,)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.pth"
    text.write_text("no checkpoint")
    for path in (text, tmp_path / "absent.pth"):
        with pytest.raises(ModelError, match="not a readable checkpoint"):
            load_encoder(path)
    with pytest.raises(ModelError, match=r"no checkpoint of a known encoder: it holds .* 'conv1\.weight'"):
        load(tmp_path, linear("conv1", 3, 3))
    with pytest.raises(ModelError, match="it is empty"):
        load(tmp_path, {})
    torch.save([torch.zeros(3)], text)
    with pytest.raises(ModelError, match="no table of tensors"):
        load_encoder(text)
    with pytest.raises(ModelError, match="holds 'norm', which is no tensor"):
        load(tmp_path, {"norm": 3})  # type: ignore[dict-item]


def test_ulips_other_encoders_are_not_taken_for_these() -> None:
    assert layout_of({"pc_projection", "point_encoder.sa1.mlp_convs.0.weight"}) is None
