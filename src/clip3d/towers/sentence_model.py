"""The twin in torch of the text tower `clip3d.towers.text`: for training, and for export to other programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.towers.text import NORM_EPSILON, TextTower


class SentenceModel(nn.Module):
    """Twin of `clip3d.towers.text.TextTower`: word-piece ids to directions around the mean of a space.

    Args:
        words: number of word pieces.
        width: of a token's vector.
        hidden: width inside the feed-forward parts.
        layers: encoder layers.
        heads: attention heads a layer.
        positions: longest phrase in word pieces.
        dim: of the space.
    """

    def __init__(
        self, *, words: int, width: int, hidden: int, layers: int, heads: int, positions: int, dim: int
    ) -> None:
        super().__init__()
        self.heads = heads
        self.words = nn.Embedding(words, width)
        self.positions = nn.Parameter(torch.zeros(positions, width))
        self.norm = nn.LayerNorm(width, eps=NORM_EPSILON)
        self.layers = nn.ModuleList(EncoderLayer(width, hidden, heads) for _ in range(layers))
        self.head = nn.Linear(2 * width, dim)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Unit directions (n, dim) of token ids (n, l), of which those marked in real (n, l) count."""
        pooled = self.pooled(ids, real)
        return F.normalize(self.head(torch.cat([pooled[0], pooled[-1]], dim=1)), dim=1)

    def pooled(self, ids: Tensor, real: Tensor) -> list[Tensor]:
        """Means (n, width) over the real tokens, after the embedding and after each layer."""
        share = (real / real.sum(1, keepdim=True))[:, None, :]
        x = self.norm(self.words(ids) + self.positions[: ids.shape[1]])
        means = [(share @ x)[:, 0]]
        for layer in self.layers:
            x = layer(x, real)
            means.append((share @ x)[:, 0])
        return means


class EncoderLayer(nn.Module):
    """A post-norm transformer layer (Devlin et al. 2019)."""

    def __init__(self, width: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPSILON)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPSILON)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Token vectors (n, l, width) to token vectors; only real (n, l) tokens are attended to."""
        n, length, width = x.shape
        parts = self.qkv(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=real[:, None, None, :])
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(n, length, width)))
        return self.norm2(x + self.down(F.gelu(self.up(x), approximate="tanh")))  # type: ignore[no-any-return]


class SentenceVectors(nn.Module):
    """A text tower without its tokenizer: word-piece ids to the vectors that the tower gives.

    Args:
        tower: whose numbers are taken, unpacked to float32.
    """

    mean: Tensor

    def __init__(self, tower: TextTower) -> None:
        super().__init__()
        state = {name: torch.from_numpy(array) for name, array in tower.unpacked().items()}
        mean = state.pop("mean")
        words, positions = state["words.weight"], state["positions"]
        self.model = SentenceModel(
            words=len(words),
            width=words.shape[1],
            hidden=len(state["layers.0.up.bias"]),
            layers=tower.layers,
            heads=tower.heads,
            positions=len(positions),
            dim=tower.dim,
        )
        self.model.load_state_dict(state)
        self.register_buffer("mean", mean)
        self.eval().requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors (n, d) of ids (n, l) int64, of which those marked in mask (n, l) bool count."""
        directions = self.model(ids, mask)
        along = (directions @ self.mean)[:, None]
        # as `clip3d.towers.text.around_mean`
        length = torch.sqrt(along**2 + 1 - self.mean @ self.mean) - along
        vectors: Tensor = self.mean + length * directions
        return vectors
