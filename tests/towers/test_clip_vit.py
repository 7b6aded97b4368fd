import pytest
import torch

from clip3d.towers.clip_vit import ClipViT

SIZES = {"width": 64, "layers": 3, "heads": 2, "patch": 8, "size": 24, "dim": 16}


@pytest.fixture
def tower():
    torch.manual_seed(0)
    tower = ClipViT(**SIZES)
    for parameter in tower.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape)
    return tower.eval()


@pytest.fixture
def pixels():
    torch.manual_seed(1)
    return torch.randn(3, 3, 24, 24)


def test_without_its_prompts_the_tower_is_what_it_was_bit_for_bit(tower, pixels):
    plain, names = tower(pixels), list(tower.state_dict())
    tower.add_prompts(5)
    assert not torch.equal(tower(pixels), plain)
    tower.remove_prompts()
    assert torch.equal(tower(pixels), plain)
    assert list(tower.state_dict()) == names


def test_prompted_blocks_against_a_slow_twin(tower, pixels):
    prompts = tower.add_prompts(2).tokens
    expected = []
    for picture in pixels:
        tokens = [tower.class_token + tower.positions[0]]
        patches = tower.patches(picture[None])[0]
        for i in range(3):
            for j in range(3):
                tokens.append(patches[:, i, j] + tower.positions[1 + 3 * i + j])
        tokens = [tower.pre_norm(token) for token in tokens]
        for block, own in zip(tower.blocks, prompts, strict=True):
            seen = block(torch.stack([tokens[0], *own, *tokens[1:]])[None])[0]
            tokens = [seen[0], *seen[3:]]
        expected.append(tower.projection(tower.post_norm(tokens[0])))
    torch.testing.assert_close(tower(pixels), torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_only_the_prompts_learn_in_a_frozen_tower(tower, pixels):
    tower.requires_grad_(False)
    tower.add_prompts(5)
    tower(pixels).square().sum().backward()
    learning = {name: p for name, p in tower.named_parameters() if p.requires_grad}
    assert list(learning) == ["prompts.tokens"]
    assert (learning["prompts.tokens"].grad.abs().amax((1, 2)) > 0).all()


def test_the_prompts_of_clip_goes_3d_have_46080_numbers():
    with torch.device("meta"):
        sizes = {"width": 768, "layers": 12, "heads": 12, "patch": 16, "size": 224, "dim": 512}
        tower = ClipViT(**sizes, prompts=5, pre_norm=False, patch_bias=True)
    assert tower.prompts.tokens.numel() == 46_080
    prompts = ClipViT(**SIZES | {"width": 768}).add_prompts(50).tokens.detach()
    assert float(prompts.abs().max()) == pytest.approx((6 / (3 * 8 + 768)) ** 0.5, rel=0.01)


def test_a_card_can_name_a_tower_with_prompts(tower, pixels):
    tower.add_prompts(5)
    again = ClipViT(**SIZES, prompts=5).eval()
    again.load_state_dict(tower.state_dict())
    assert torch.equal(again(pixels), tower(pixels))


def test_pictures_of_a_batch_do_not_see_each_other(tower, pixels):
    tower.add_prompts(5)
    alone = torch.cat([tower(picture[None]) for picture in pixels])
    torch.testing.assert_close(tower(pixels), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("wrong", [{"heads": 5}, {"heads": 0}, {"size": 25}, {"activation": "relu"}])
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"heads|patches|activation"):
        ClipViT(**SIZES | wrong)
