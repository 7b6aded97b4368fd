"""Losses of a sweep tower: on the teacher's vectors (LidarCLIP), and on words where labels teach."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.towers.sweep_cells import SweepCells
from clip3d.training.objectives import caption_spread, centre, contrastive, inverse_temperature, naming
from clip3d.training.sweep_batches import SweepBatch
from clip3d.training.sweep_recipe import LabelRecipe, Loss

TEMPERATURE = 0.07  # of the contrastive loss; CLIP's starts from it


def to_teacher(given: Tensor, wanted: Tensor, loss: Loss) -> Tensor:
    """LidarCLIP's loss (Hess et al. 2024, equation 1 and its ablation): () from raw vectors (n, d).

    The mean over rows and dimensions of the squared difference; minus the mean cosine; or CLIP's loss, by which
    each row is to find its own among the others, both ways. Rows of which the teacher says nothing (NaN) do not
    count; without any that does, it is 0.
    """
    known = wanted.isfinite().all(1)
    given, wanted = given[known], wanted[known]
    if not len(given):
        return given.sum()
    if loss == "contrastive":
        a, b = F.normalize(given, dim=1), F.normalize(wanted, dim=1)
        return contrastive(a, b, torch.arange(len(a), device=a.device), 1 / TEMPERATURE)
    return F.mse_loss(given, wanted) if loss == "mse" else -F.cosine_similarity(given, wanted, dim=1).mean()


def apart(given: Tensor, wanted: Tensor, mean: Tensor) -> Tensor:
    """CLIP's loss () between raw vectors (n, d), compared as a space of that mean (d,) does; NaN does not count."""
    known = wanted.isfinite().all(1)
    return to_teacher(centre(given[known], mean), centre(wanted[known], mean), "contrastive")


def pooled(found: SweepCells, cell: Tensor, group: Tensor, groups: int, cells: int) -> Tensor:
    """Mean (groups, d) of the cells' vectors over the points of each group.

    Args:
        found: the non-empty cells.
        cell: (k,) each point's cell, numbered frustum * cells + cell.
        group: (k,) which group it belongs to.
        groups: how many.
        cells: of the grid.
    """
    rows = row_of(found, cell, cells)
    number = torch.bincount(group, minlength=groups).clamp(min=1)
    total = found.cells.new_zeros(groups, found.cells.shape[1]).index_add(0, group, found.cells[rows])
    return total / number[:, None]


def row_of(found: SweepCells, cell: Tensor, cells: int) -> Tensor:
    """The row (k,) of each cell (k,), numbered frustum * cells + cell, among the non-empty ones."""
    return torch.searchsorted(found.sample * cells + found.cell, cell).clamp(max=max(len(found.cell) - 1, 0))


class NamingLoss(nn.Module):
    """What labels teach: which words fit the cells in a box, and which terms are true of a frustum.

    Args:
        recipe: weights and temperatures.
        phrases: (v, d) raw vectors of the words.
        positives: (w, v) as `Vocabulary` has them.
        terms: (t, w, d) raw vectors of the terms, each asked for in w ways.
        odds: (t,) logarithm of the odds of each.
        mean: (d,) of the space.
    """

    phrases: Tensor
    spread: Tensor
    positives: Tensor
    terms: Tensor
    mean: Tensor

    def __init__(
        self, recipe: LabelRecipe, phrases: Tensor, positives: Tensor, terms: Tensor, odds: Tensor, mean: Tensor
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("phrases", centre(phrases, mean), persistent=False)
        self.register_buffer("spread", caption_spread(self.phrases, recipe.sharpness), persistent=False)
        self.register_buffer("positives", positives, persistent=False)
        self.register_buffer("terms", centre(terms, mean), persistent=False)
        self.log_scale = nn.Parameter(torch.tensor(recipe.scale).log())
        self.bias = nn.Parameter(odds[:, None].repeat(1, terms.shape[1]))

    def forward(self, found: SweepCells, batch: SweepBatch, cells: int) -> Tensor:
        """The loss () of a batch whose frusta and cells have these vectors."""
        scale, loss = inverse_temperature(self.log_scale), found.vectors.new_zeros(())
        if len(batch.words) and self.recipe.objects:
            vectors = pooled(found, batch.object_cell, batch.object, len(batch.words), cells)
            loss = loss + self.recipe.objects * self._named(vectors, batch.words, batch.shares, scale)
        if len(batch.words) and self.recipe.cells:
            # a cell follows the box that its first point lies in; an object's cells share what it counts
            own, first = _first(batch.object_cell)
            whose = batch.object[first]
            shares = batch.shares[whose] / torch.bincount(whose, minlength=len(batch.words))[whose]
            vectors = found.cells[row_of(found, own, cells)]
            loss = loss + self.recipe.cells * self._named(vectors, batch.words[whose], shares, scale)
        if self.recipe.scenes and len(self.terms):
            loss = loss + self.recipe.scenes * self._told(found.vectors, batch.truths, scale)
        return loss

    def _named(self, vectors: Tensor, words: Tensor, shares: Tensor, scale: Tensor) -> Tensor:
        centred = centre(vectors, self.mean)
        recipe = self.recipe
        return naming(
            centred, self.positives[words], self.phrases, self.spread, scale, recipe.regression, shares=shares
        )

    def _told(self, vectors: Tensor, truths: Tensor, scale: Tensor) -> Tensor:
        """Binary cross-entropy of each term from its cosine, over what is known."""
        cosines = torch.einsum("nd,twd->ntw", centre(vectors, self.mean), self.terms)
        return tell_terms(cosines, truths[..., None].expand_as(cosines), scale, self.bias)


def tell_terms(cosines: Tensor, truths: Tensor, scale: Tensor | float, bias: Tensor) -> Tensor:
    """Binary cross-entropy () of terms from scale * cosine + bias, over what is known.

    Args:
        cosines: (n, t), or (n, t, w) of terms that are asked for in w ways.
        truths: of the same shape, 1 or 0, NaN where it is not known.
        scale: inverse temperature.
        bias: (t,) or (t, w).
    """
    known = truths.isfinite()
    if not known.any():
        return cosines.sum() * 0
    logits = scale * cosines + bias
    each = F.binary_cross_entropy_with_logits(logits, truths.nan_to_num(), reduction="none")
    return each[known].mean()


def _first(values: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct values (u,) in ascending order, and where each stands first (u,)."""
    distinct, place = torch.unique(values, return_inverse=True)
    first = torch.full((len(distinct),), len(values), device=values.device)
    first = first.scatter_reduce(0, place, torch.arange(len(values), device=values.device), "amin")
    return distinct, first
