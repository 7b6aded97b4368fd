"""Every architecture that a card may name, in one table; each is imported on use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

ARCHITECTURES: dict[str, str] = {
    "sentence-text": "clip3d.towers.text:TextTower",
    "clip-text": "clip3d.towers.clip_text:ClipTextTower",
    "clip-vit": "clip3d.towers.clip_vit:ClipViT",
    "efficientnet-lite": "clip3d.towers.image:ImageTower",
    "set-abstraction": "clip3d.towers.set_abstraction:SetAbstractionTower",
    "ensemble": "clip3d.towers.ensemble:EnsembleTower",
    "point-transformer": "clip3d.towers.point_transformer:PointTransformerTower",
    "point-mlp": "clip3d.towers.point_mlp:PointMLPTower",
    "sparse-transformer": "clip3d.towers.sst:SparseTransformerTower",
    "pillar-pyramid": "clip3d.towers.pillar_pyramid:PillarPyramidTower",
    "sampled-sweep": "clip3d.towers.sampled_sweep:SampledSweepTower",
    "rendered-views": "clip3d.towers.rendered_views:RenderedViewsTower",
    "depth-views": "clip3d.towers.depth_views:DepthViewsTower",
    "adapted-views": "clip3d.towers.adapted_views:AdaptedViewsTower",
    "classifier": "clip3d.towers.classifier:ClassifierTower",
    "labels": "clip3d.towers.labels:LabelTower",
}


def resolve(name: str) -> Any:
    """The class behind an architecture's name.

    Raises:
        KeyError: if the table has no such name; the message lists those it has.
    """
    if name not in ARCHITECTURES:
        raise KeyError(f"unknown architecture {name!r}: this version knows {', '.join(sorted(ARCHITECTURES))}")
    module, attribute = ARCHITECTURES[name].split(":")
    return getattr(import_module(module), attribute)
