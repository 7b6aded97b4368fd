"""Losses between vectors of two modalities."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

# CLIP and SLIP hold the inverse temperature below this.
MOST_SCALE = 100.0


def inverse_temperature(log_scale: Tensor) -> Tensor:
    """exp(log_scale), at most 100 to rounding, with a gradient wherever it stands.

    As CLIP does, a log scale (), that has grown too large is brought back in place: cut off behind the exponential
    it would have no gradient from there on, and CLIP's own begins at 100.
    """
    with torch.no_grad():
        log_scale.clamp_(max=math.log(MOST_SCALE))
    return log_scale.exp()


def centre(vectors: Tensor, mean: Tensor) -> Tensor:
    """`Space.centre` with gradients: unit length, minus the mean (d,) of the space, unit length; (..., d)."""
    return functional.normalize(functional.normalize(vectors, dim=-1) - mean, dim=-1)


def soft_cross_entropy(logits: Tensor, target: Tensor, shares: Tensor | None = None) -> Tensor:
    """Mean over rows of the cross-entropy of softmax(logits) (n, m) from a target distribution (n, m).

    `shares` (n,) say how much each row counts; None for all alike.
    """
    return averaged(-(target * functional.log_softmax(logits, dim=-1)).sum(-1), shares)


def averaged(values: Tensor, shares: Tensor | None) -> Tensor:
    """Mean () of values (n,), each counting its share (n,)."""
    return values.mean() if shares is None else (values * shares).sum() / shares.sum()


def naming(
    vectors: Tensor,
    positives: Tensor,
    phrases: Tensor,
    spread: Tensor,
    scale: Tensor | float,
    regression: float,
    bias: Tensor | float = 0.0,
    shares: Tensor | None = None,
) -> Tensor:
    """How far objects are from what they may be called, against a whole vocabulary of v phrases.

    Args:
        vectors: (n, d) centred unit vectors of the objects.
        positives: (n, v) each object's phrases, rows that add up to 1.
        phrases: (v, d) centred unit vectors of the vocabulary.
        spread: (v, v) as `caption_spread` gives it.
        scale: inverse temperature.
        regression: weight of 1 - cosine to the mean of an object's phrases, added to the cross entropy.
        bias: added to the logits, for each phrase.
        shares: (n,) how much each object counts; None for all alike.
    """
    wanted = functional.normalize(positives @ phrases, dim=-1)
    distance = averaged(1 - (vectors * wanted).sum(-1), shares)
    logits = scale * vectors @ phrases.T + bias
    return soft_cross_entropy(logits, positives @ spread, shares) + regression * distance


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy (Chen et al. 2020, "SimCLR", equation 1) of n pairs.

    Each of the 2 n vectors is to find its partner among all others, those of its own side too.

    Args:
        a: (n, d) vectors of any length, n at least 1.
        b: (n, d) vectors, row i the partner of row i of `a`.
        temperature: divides the cosines.
    """
    vectors = functional.normalize(torch.cat([a, b]), dim=-1)
    logits = vectors @ vectors.T / temperature
    logits = logits.masked_fill(torch.eye(len(logits), dtype=torch.bool, device=logits.device), float("-inf"))
    partners = torch.arange(len(logits), device=logits.device).roll(len(a))
    return functional.cross_entropy(logits, partners)


def contrastive(a: Tensor, b: Tensor, classes: Tensor, scale: Tensor | float, own: float = 0.0) -> Tensor:
    """Symmetric contrastive loss with every pair of one class as positives.

    L(3D,2D) and L(3D,text) of CG3D (Hegde et al. 2023, section 3.2), positives as the paper states them: with all
    classes different it is the loss of CLIP, and equal captions are never each other's negatives.

    Args:
        a: (n, d) unit vectors of one modality.
        b: (n, d) unit vectors of the other, row i belonging to row i of `a`.
        classes: (n,) integers; equal numbers are positives.
        scale: inverse temperature.
        own: share of a row's target that goes to its own partner alone; the rest is spread evenly over its class.
    """
    same = (classes[:, None] == classes[None, :]).to(a.dtype)
    target = (1 - own) * same / same.sum(-1, keepdim=True) + own * torch.eye(len(a), dtype=a.dtype, device=a.device)
    logits = scale * a @ b.T
    return 0.5 * (soft_cross_entropy(logits, target) + soft_cross_entropy(logits.T, target))


def caption_spread(phrases: Tensor, sharpness: float) -> Tensor:
    """How a phrase's share is spread over a vocabulary by likeness in meaning: near synonyms are not pushed away.

    The phrases that an object may be called are `positives @ caption_spread(…)`, positives (n, v) being the
    object's own phrases, rows that add up to 1.

    Args:
        phrases: (v, d) centred unit vectors of the vocabulary.
        sharpness: inverse temperature of the likeness; the higher, the less is spread.

    Returns:
        (v, v), rows add up to 1.
    """
    return torch.softmax(sharpness * phrases @ phrases.T, dim=-1)
