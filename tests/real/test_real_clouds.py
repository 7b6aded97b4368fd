"""The embedded model on real data, in the folder that CLIP3D_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.data.labelled_clouds import read_labelled
from clip3d.evaluation.zero_shot import zero_shot

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("CLIP3D_DATA")
    if not folder:
        pytest.skip("CLIP3D_DATA is not set: it names the folder with the real data sets")
    return Path(folder)


def test_zero_shot_on_modelnet10_is_at_least_three_quarters(data: Path) -> None:
    clouds = read_labelled(data / "modelnet10" / "modelnet10.npz", split="test")
    report = zero_shot(clip3d.load("mini"), clouds)
    assert report.n == 908
    assert report.accuracy >= 0.75


def test_low_poly_models_are_read_with_their_colours(data: Path) -> None:
    files = sorted((data / "kenney_obj" / "obj").rglob("*.obj"))
    assert files
    clouds = [clip3d.read(path, points=512) for path in files]
    assert all(cloud.colors is not None for cloud in clouds)


def test_a_scanned_room_can_be_encoded(data: Path) -> None:
    room = np.load(data / "scannet_scene0000" / "scene0000_00.npz", allow_pickle=False)
    cloud = PointCloud(room["xyz"], room["rgb"] / np.float32(255), unit="m")
    vectors = clip3d.load("mini").encode_clouds([cloud])
    assert vectors.shape == (1, 512)
    assert np.isfinite(vectors).all()
