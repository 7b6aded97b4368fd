"""Every experiment, in one table; each is imported on use."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from clip3d.errors import ShapeError
from clip3d.experiments.experiment import Experiment

EXPERIMENTS: dict[str, str] = {
    "cg3d-table1": "clip3d.experiments.cg3d_zero_shot:TABLE_1",
    "cg3d-table2": "clip3d.experiments.cg3d_finetuning:TABLE_2",
    "cg3d-table3": "clip3d.experiments.cg3d_pretraining:TABLE_3",
    "cg3d-table4": "clip3d.experiments.cg3d_images:TABLE_4",
    "cg3d-table5": "clip3d.experiments.cg3d_images:TABLE_5",
    "cg3d-fig4": "clip3d.experiments.cg3d_retrieval:RETRIEVAL",
    "cg3d-fig5": "clip3d.experiments.cg3d_finetuning:FIGURE_5",
    "cg3d-fig6": "clip3d.experiments.cg3d_rooms:ROOMS",
    "cg3d-fig7": "clip3d.experiments.cg3d_maps:MAPS",
    "cg3d-scenes": "clip3d.experiments.cg3d_scenes:SCENES",
    "cg3d-unfreeze": "clip3d.experiments.cg3d_pretraining:UNFREEZE",
    "lidarclip-table1": "clip3d.experiments.lidarclip_objects:TABLE_1",
    "lidarclip-table2": "clip3d.experiments.lidarclip_retrieval:TABLE_2",
    "lidarclip-table3": "clip3d.experiments.lidarclip_losses:TABLE_3",
    "lidarclip-table4": "clip3d.experiments.lidarclip_joint:TABLE_4",
    "lidarclip-table5": "clip3d.experiments.lidarclip_joint:TABLE_5",
    "lidarclip-fig3": "clip3d.experiments.lidarclip_scenes:FIGURE_3",
    "lidarclip-fig4": "clip3d.experiments.lidarclip_prompts:FIGURE_4",
    "lidarclip-fig5": "clip3d.experiments.lidarclip_probes:FIGURE_5",
    "lidarclip-whole-sweep": "clip3d.experiments.lidarclip_scenes:WHOLE_SWEEPS",
    "lidarclip-prompts": "clip3d.experiments.lidarclip_prompts:PROMPTS",
    "lidarclip-cutoffs": "clip3d.experiments.lidarclip_retrieval:CUT_OFFS",
    "lidarclip-classes": "clip3d.experiments.lidarclip_retrieval:CLASSES",
    "modelnet10-scarce": "clip3d.experiments.modelnet10:SCARCE_DATA",
    "modelnet10-fewshot": "clip3d.experiments.modelnet10:FEW_SHOTS",
    "modelnet10-probe": "clip3d.experiments.modelnet10_probe:PROBE",
    "library-table3": "clip3d.experiments.library_ablations:ABLATIONS",
    "library-tables45": "clip3d.experiments.library_ablations:PROMPTED",
}


def find_experiment(name: str) -> Experiment:
    """The experiment of a name.

    Raises:
        ShapeError: if there is none; the message has the nearest names.
    """
    if name not in EXPERIMENTS:
        near = ", ".join(get_close_matches(name, EXPERIMENTS, 3)) or ", ".join(EXPERIMENTS)
        raise ShapeError(f"there is no experiment {name!r}; do you mean {near}?")
    module, attribute = EXPERIMENTS[name].split(":")
    experiment: Experiment = getattr(import_module(module), attribute)
    return experiment


def all_experiments() -> list[Experiment]:
    """All experiments in the order of the table."""
    return [find_experiment(name) for name in EXPERIMENTS]
