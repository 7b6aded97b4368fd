"""The embedded model on real streets: it learned from simulated ones alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import real_logs

import clip3d
from clip3d.evaluation.driving_frames import Looking, classes_of, look
from clip3d.evaluation.driving_objects import HEARD, TEMPLATES, class_vectors

pytestmark = pytest.mark.real


def test_cars_lorries_and_people_are_named_from_the_points_in_their_boxes(tmp_path: Path) -> None:
    folder = os.environ.get("CLIP3D_DATA")
    if not folder:
        pytest.skip("CLIP3D_DATA is not set: it names the folder with the real data sets")
    model = clip3d.load()
    roots = [
        real_logs.write_kitti_object(Path(folder), tmp_path / "kitti"),
        real_logs.write_nuscenes(Path(folder), tmp_path / "nuscenes"),
    ]
    seen = look(model, roots, Looking(tiling="whole", scenes=False))
    said = model.space.similarity(
        np.stack([one.pooled for one in seen.objects]), class_vectors(model, HEARD, TEMPLATES)
    )
    right = said.argmax(1) == classes_of(seen)
    assert len(right) >= 14
    assert right.mean() > 0.6  # chance is a sixth
