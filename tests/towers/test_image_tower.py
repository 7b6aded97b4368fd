"""The image tower: layout of the published weights, folding, preprocessing, its place in the space."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import load_strict, quantize_rows, read_state, write_arrays
from clip3d.towers.image import EfficientNetLite0, ImageTower, SameConv, place_in_space, rename_published

# Table 1 of the EfficientNet paper without squeeze-and-excitation; the Lite0 release states 4.65 million.
PUBLISHED_PARAMETERS = 4_652_008
BLOCKS = [(32, 16, 3, 1)] + [
    (i, o, k, 6)
    for i, o, k in [
        (16, 24, 3), (24, 24, 3), (24, 40, 5), (40, 40, 5), (40, 80, 3), (80, 80, 3), (80, 80, 3), (80, 112, 5),
        (112, 112, 5), (112, 112, 5), (112, 192, 5), (192, 192, 5), (192, 192, 5), (192, 192, 5), (192, 320, 3),
    ]
]  # fmt: skip


def published_layout() -> dict[str, torch.Tensor]:
    """Random tensors under the names and shapes of the published checkpoint."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def conv(name: str, norm: str, *shape: int) -> None:
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        for key, low, high in (("weight", 0.5, 1.5), ("bias", -0.2, 0.2), ("running_mean", -0.2, 0.2)):
            state[f"{norm}.{key}"] = torch.rand(shape[0], generator=generator) * (high - low) + low
        state[f"{norm}.running_var"] = torch.rand(shape[0], generator=generator) + 0.5
        state[f"{norm}.num_batches_tracked"] = torch.tensor(1)

    conv("_conv_stem", "_bn0", 32, 3, 3, 3)
    for n, (inputs, outputs, kernel, expansion) in enumerate(BLOCKS):
        width = inputs * expansion
        if expansion > 1:
            conv(f"_blocks.{n}._expand_conv", f"_blocks.{n}._bn0", width, inputs, 1, 1)
        conv(f"_blocks.{n}._depthwise_conv", f"_blocks.{n}._bn1", width, 1, kernel, kernel)
        conv(f"_blocks.{n}._project_conv", f"_blocks.{n}._bn2", outputs, width, 1, 1)
    conv("_conv_head", "_bn1", 1280, 320, 1, 1)
    state["_fc.weight"], state["_fc.bias"] = torch.randn(1000, 1280, generator=generator), torch.zeros(1000)
    return state


@pytest.fixture(scope="module")
def trunk() -> EfficientNetLite0:
    net = EfficientNetLite0()
    net.load_state_dict(rename_published(published_layout())[0], strict=True)
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_published_layout_has_the_published_parameter_count(trunk):
    _, weight, bias = rename_published(published_layout())
    assert sum(p.numel() for p in trunk.parameters()) + weight.numel() + bias.numel() == PUBLISHED_PARAMETERS
    assert weight.shape == (1000, 1280)


def test_a_checkpoint_of_another_layout_is_refused():
    state = published_layout()
    del state["_blocks.3._project_conv.weight"]
    with pytest.raises(RuntimeError, match=r"blocks\.3\.project\.conv\.weight"):
        EfficientNetLite0().load_state_dict(rename_published(state)[0], strict=True)


def test_folding_batch_norms_leaves_features_alone(trunk, pixels):
    expected = trunk(pixels)
    folded = EfficientNetLite0()
    folded.load_state_dict(trunk.state_dict())
    folded.eval().fold()
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    torch.testing.assert_close(folded(pixels), expected, atol=1e-4, rtol=1e-4)
    again = EfficientNetLite0(folded=True)
    again.load_state_dict(folded.state_dict(), strict=True)
    torch.testing.assert_close(again.eval()(pixels), expected, atol=1e-4, rtol=1e-4)


def test_batch_equals_single(trunk, pixels):
    single = torch.cat([trunk(one[None]) for one in pixels])
    torch.testing.assert_close(trunk(pixels), single, atol=1e-5, rtol=1e-4)


def test_features_are_1280_numbers_from_0_to_6(trunk, pixels):
    features = trunk(pixels)
    assert features.shape == (3, 1280)
    assert features.min() >= 0
    assert features.max() <= 6


def test_convention_even_sides_are_padded_at_right_and_bottom():
    layer = SameConv(1, 1, 3, stride=2, linear=True).eval()
    nn.init.zeros_(layer.conv.weight)
    layer.conv.weight.data[0, 0, 0, 0] = 1  # picks the upper left pixel of each window
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    picked = layer(picture)[0, 0] * (1 + 1e-3) ** 0.5
    torch.testing.assert_close(picked, torch.tensor([[0.0, 2.0], [8.0, 10.0]]))


def test_vectors_point_where_the_head_says_once_the_mean_is_taken_off():
    generator = torch.Generator().manual_seed(2)
    mean = torch.randn(512, generator=generator)
    mean *= 0.85 / mean.norm()
    direction = torch.randn(5, 512, generator=generator) * 3
    vectors = place_in_space(direction, mean)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))
    cosine = torch.cosine_similarity(vectors - mean, direction, dim=1)
    torch.testing.assert_close(cosine, torch.ones(5), atol=1e-5, rtol=0)


def test_an_undecided_small_network_leaves_the_classes_in_charge():
    tower = ImageTower(dim=8, classes=3, hidden=4).eval()
    with torch.no_grad():
        tower.head.classifier.weight.zero_()
        tower.head.classifier.bias.copy_(torch.tensor([20.0, 0.0, 0.0]))
        tower.head.directions.copy_(torch.eye(3, 8))
        tower.head.widen.weight.zero_()
        tower.head.widen.bias.zero_()
        vector = tower(torch.zeros(1, 3, 32, 32))[0]
    assert vector.argmax() == 0


def test_stored_in_int8_the_tower_answers_alike(tmp_path, pixels):
    torch.manual_seed(3)
    tower = ImageTower()
    tower.head.mean.data = torch.randn(512) * 0.03
    nn.init.normal_(tower.head.directions)
    write_arrays(quantize_rows({k: v.detach().numpy() for k, v in tower.state_dict().items()}), tmp_path / "w")
    assert (tmp_path / "w").stat().st_size < 7e6
    stored = load_strict(ImageTower(), read_state(tmp_path / "w"), tmp_path / "w")
    with torch.inference_mode():
        cosine = torch.cosine_similarity(stored(pixels), tower.eval()(pixels), dim=1)
    assert cosine.min() > 0.98


def test_convention_a_wide_picture_keeps_its_middle_square():
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = [255, 0, 0]
    pixels = ImagePreprocess(size=64)(picture)
    assert pixels.shape == (3, 64, 64)
    np.testing.assert_allclose(pixels[0, :, 4:-4], 1, atol=1e-6)
    np.testing.assert_allclose(pixels[1:], -1, atol=1e-6)


def test_what_is_transparent_shows_the_background():
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (10, 10, 30, 30))
    pixels = ImagePreprocess(size=40)(clear)
    np.testing.assert_allclose(pixels[:, 2, 2], 1, atol=1e-6)
    np.testing.assert_allclose(pixels[:, 20, 20], [-1, -1, 1], atol=1e-6)
