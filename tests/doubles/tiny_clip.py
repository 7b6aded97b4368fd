"""A tiny CLIP built of torch's own transformer layers, and its tensors under the names of each published layout."""

from __future__ import annotations

import json
import warnings
from argparse import Namespace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

WIDTH, TEXT_WIDTH, DIM, LAYERS, SIZE, PATCH, VOCABULARY, CONTEXT = 128, 64, 24, 2, 32, 8, 96, 10
CLIP_NAMES = {
    "self_attn.": "attn.", "linear1": "mlp.c_fc", "linear2": "mlp.c_proj", "norm1": "ln_1", "norm2": "ln_2",
}  # fmt: skip
TIMM_NAMES = {
    "self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj": "attn.proj",
    "linear1": "mlp.fc1", "linear2": "mlp.fc2",
}  # fmt: skip
HUGGING_FACE_NAMES = {"linear1": "mlp.fc1", "linear2": "mlp.fc2", "norm1": "layer_norm1", "norm2": "layer_norm2"}


def quick(x):
    return x / (1 + torch.exp(-1.702 * x))


class TinyClip(nn.Module):
    """Random weights; `slip` gives the image tower timm's form. A head has a width of 64."""

    def __init__(self, image_activation=quick, text_activation=quick, slip=False, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.slip = slip
        epsilon = 1e-6 if slip else 1e-5
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=slip)
        self.first = nn.Parameter(torch.zeros(WIDTH))
        self.places = nn.Parameter(torch.zeros((SIZE // PATCH) ** 2 + 1, WIDTH))
        self.pre = nn.LayerNorm(WIDTH)
        self.image_blocks = nn.ModuleList(layer(WIDTH, image_activation, epsilon) for _ in range(LAYERS))
        self.post = nn.LayerNorm(WIDTH, eps=epsilon)
        self.image_out = nn.Parameter(torch.zeros(WIDTH, DIM))
        self.words = nn.Embedding(VOCABULARY, TEXT_WIDTH)
        self.order = nn.Parameter(torch.zeros(CONTEXT, TEXT_WIDTH))
        self.text_blocks = nn.ModuleList(layer(TEXT_WIDTH, text_activation, 1e-5) for _ in range(LAYERS))
        self.final = nn.LayerNorm(TEXT_WIDTH)
        self.text_out = nn.Parameter(torch.zeros(TEXT_WIDTH, DIM))
        self.logit_scale = nn.Parameter(torch.tensor(3.0))
        for parameter in self.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape)
        self.eval().requires_grad_(False)

    def image(self, pixels):
        x = self.patches(pixels)
        rows = [self.first.expand(len(x), -1)]
        rows += [x[:, :, i, j] for i in range(x.shape[2]) for j in range(x.shape[3])]
        x = torch.stack(rows, 1) + self.places
        x = x if self.slip else self.pre(x)
        for block in self.image_blocks:
            x = block(x)
        return self.post(x)[:, 0] @ self.image_out

    def text(self, ids):
        x = self.words(ids) + self.order
        mask = torch.full((CONTEXT, CONTEXT), float("-inf")).triu(1)
        for block in self.text_blocks:
            x = block(x, src_mask=mask)
        ends = [row.tolist().index(VOCABULARY - 1) for row in ids]
        return torch.stack([self.final(row[end]) @ self.text_out for row, end in zip(x, ends, strict=True)])


def layer(width, activation, epsilon):
    return nn.TransformerEncoderLayer(
        width, width // 64, 4 * width, 0.0, activation, layer_norm_eps=epsilon, batch_first=True, norm_first=True
    )


def block_tensors(blocks, prefix, names):
    found = {}
    for i, block in enumerate(blocks):
        for name, tensor in block.state_dict().items():
            for ours, theirs in names.items():
                name = name.replace(ours, theirs)
            found[f"{prefix}.{i}.{name}"] = tensor
    return found


def clip_text_tensors(clip):
    return {
        "token_embedding.weight": clip.words.weight,
        "positional_embedding": clip.order,
        "ln_final.weight": clip.final.weight,
        "ln_final.bias": clip.final.bias,
        "text_projection": clip.text_out,
        "logit_scale": clip.logit_scale,
        **block_tensors(clip.text_blocks, "transformer.resblocks", CLIP_NAMES),
    }


def open_clip_state(clip):
    state = {
        "visual.class_embedding": clip.first,
        "visual.positional_embedding": clip.places,
        "visual.conv1.weight": clip.patches.weight,
        "visual.ln_pre.weight": clip.pre.weight,
        "visual.ln_pre.bias": clip.pre.bias,
        "visual.ln_post.weight": clip.post.weight,
        "visual.ln_post.bias": clip.post.bias,
        "visual.proj": clip.image_out,
        **block_tensors(clip.image_blocks, "visual.transformer.resblocks", CLIP_NAMES),
        **clip_text_tensors(clip),
    }
    return plain(state)


def openai_state(clip):
    numbers = {"input_resolution": SIZE, "context_length": CONTEXT, "vocab_size": VOCABULARY}
    return open_clip_state(clip) | {key: torch.tensor(value) for key, value in numbers.items()}


def slip_state(clip):
    state = {
        "visual.cls_token": clip.first.reshape(1, 1, -1),
        "visual.pos_embed": clip.places[None],
        "visual.patch_embed.proj.weight": clip.patches.weight,
        "visual.patch_embed.proj.bias": clip.patches.bias,
        "visual.norm.weight": clip.post.weight,
        "visual.norm.bias": clip.post.bias,
        "image_projection": clip.image_out,
        "image_mlp.layer1.weight": torch.zeros(8, WIDTH),
        "image_mlp.bn1.num_batches_tracked": torch.tensor(5),
        **block_tensors(clip.image_blocks, "visual.blocks", TIMM_NAMES),
        **clip_text_tensors(clip),
    }
    return plain(state)


def hugging_face_state(clip):
    state = {
        "vision_model.embeddings.class_embedding": clip.first,
        "vision_model.embeddings.position_embedding.weight": clip.places,
        "vision_model.embeddings.position_ids": torch.arange(len(clip.places))[None],
        "vision_model.embeddings.patch_embedding.weight": clip.patches.weight,
        "vision_model.pre_layrnorm.weight": clip.pre.weight,
        "vision_model.pre_layrnorm.bias": clip.pre.bias,
        "vision_model.post_layernorm.weight": clip.post.weight,
        "vision_model.post_layernorm.bias": clip.post.bias,
        "visual_projection.weight": clip.image_out.T,
        "text_model.embeddings.token_embedding.weight": clip.words.weight,
        "text_model.embeddings.position_embedding.weight": clip.order,
        "text_model.final_layer_norm.weight": clip.final.weight,
        "text_model.final_layer_norm.bias": clip.final.bias,
        "text_projection.weight": clip.text_out.T,
        "logit_scale": clip.logit_scale,
        **block_tensors(clip.image_blocks, "vision_model.encoder.layers", HUGGING_FACE_NAMES),
        **block_tensors(clip.text_blocks, "text_model.encoder.layers", HUGGING_FACE_NAMES),
    }
    for key in [key for key in state if ".in_proj_" in key]:
        stem, part = key.split("in_proj_")
        for letter, tensor in zip("qkv", state.pop(key).chunk(3), strict=True):
            state[f"{stem}{letter}_proj.{part}"] = tensor
    return plain(state)


def plain(state):
    return {key: tensor.detach().clone().contiguous() for key, tensor in state.items()}


def write_openai(clip, folder: Path) -> Path:
    torch.save(openai_state(clip), folder / "ViT-tiny.pt")
    return folder / "ViT-tiny.pt"


class Bag(nn.Module):
    """Tensors under dotted names, as a tree of modules."""

    def __init__(self, state):
        super().__init__()
        groups = {}
        for key, tensor in state.items():
            head, _, rest = key.partition(".")
            if rest:
                groups.setdefault(head, {})[rest] = tensor
            elif tensor.is_floating_point():
                self.register_parameter(head, nn.Parameter(tensor, requires_grad=False))
            else:
                self.register_buffer(head, tensor)
        for head, inner in groups.items():
            self.add_module(head, Bag(inner))

    def forward(self, x):
        return x


def write_archive(clip, folder: Path) -> Path:
    """A TorchScript archive in half precision, as OpenAI published its CLIPs."""
    state = {key: t.half() if t.is_floating_point() else t for key, t in openai_state(clip).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Bag(state), torch.ones(1)).save(str(folder / "ViT-tiny.pt"))
    return folder / "ViT-tiny.pt"


def write_open_clip(clip, folder: Path, activation: str = "quick_gelu") -> Path:
    save_file(open_clip_state(clip), folder / "open_clip_model.safetensors")
    image = {"image_size": SIZE, "layers": LAYERS, "width": WIDTH, "patch_size": PATCH}
    text = {"width": TEXT_WIDTH, "heads": 1, "layers": LAYERS, "context_length": CONTEXT, "vocab_size": VOCABULARY}
    model = {"embed_dim": DIM, "quick_gelu": activation == "quick_gelu", "vision_cfg": image, "text_cfg": text}
    write_json({"model_cfg": model, "preprocess_cfg": {"mean": [0.5] * 3}}, folder / "open_clip_config.json")
    return folder


def write_hugging_face(clip, folder: Path, activation: str = "quick_gelu") -> Path:
    save_file(hugging_face_state(clip), folder / "model.safetensors")
    image = {"hidden_act": activation, "num_attention_heads": WIDTH // 64}
    text = {"hidden_act": activation, "num_attention_heads": 1, "eos_token_id": 2}
    write_json({"vision_config": image, "text_config": text}, folder / "config.json")
    return folder


def write_slip(clip, folder: Path) -> Path:
    """With all that SLIP's training saves, by a NumPy before version 2."""
    state = {f"module.{key}": tensor for key, tensor in slip_state(clip).items()}
    optimizer = {"state": {0: {"step": 5}}, "param_groups": [{"lr": np.float64(1e-3), "betas": (0.9, 0.98)}]}
    saved = {"epoch": 99, "state_dict": state, "optimizer": optimizer, "args": Namespace(model="SLIP_VITB16")}
    torch.save(saved, folder / "new.pt")
    with ZipFile(folder / "new.pt") as new, ZipFile(folder / "slip.pt", "w") as old:
        for name in new.namelist():
            old.writestr(name, new.read(name).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    return folder / "slip.pt"


def write_json(table, path: Path) -> None:
    path.write_text(json.dumps(table), encoding="utf-8")


def inputs(seed: int = 1):
    """Pixels (3, 3, s, s) and token ids (3, l) of texts of different lengths, filled up in both usual ways."""
    torch.manual_seed(seed)
    ids = torch.randint(1, VOCABULARY - 1, (3, CONTEXT))
    ids[0, -1] = ids[1, 4:] = ids[2, 3] = VOCABULARY - 1
    ids[2, 4:] = 0
    return torch.randn(3, 3, SIZE, SIZE), ids


GELU = F.gelu


WRITERS = {
    "archive": write_archive,
    "openai": write_openai,
    "open_clip": write_open_clip,
    "huggingface": write_hugging_face,
    "slip": write_slip,
}
