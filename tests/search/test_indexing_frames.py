"""Frames of driving logs in a collection: a record a view, sensors apart, unchanged frames not read again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_POSE, INTRINSICS, sweep
from kitti_files import sweep_bytes, write_object
from labelled_drives import write_log
from nuscenes_files import write_small
from once_files import write_once
from ros_logs import Messages, write
from ros_logs import drive as messages_of_drive
from small_files import box, make_bundle, settle, write_off
from sweep_bundles import TINY, sweep_bundle

import clip3d
from clip3d.lidar.frame import Box
from clip3d.lidar.views import views
from clip3d.lidar.wedge import wedge
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.collection import Collection
from clip3d.search.conditions.where import Condition
from clip3d.search.keeping.frame_reading import FrameReader, frame_of
from clip3d.search.keeping.reporting import Change
from clip3d.search.questions.locating import locate
from clip3d.search.stores.store import Record
from clip3d.spaces import unit


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return sweep_bundle(tmp_path_factory.mktemp("model"), **TINY)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_log(tmp_path / "logs" / "drive", seed=1, frames=3)


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors.db")


def collection(tmp_path: Path, model: Model) -> Collection:
    return Collection(tmp_path / "drive.db", model)


def records(kept: Collection) -> dict[str, Record]:
    store = kept.store
    return {record.trace.part: record for record in store.records(store.select().tolist())}


def test_every_view_is_a_record_with_the_vectors_of_its_sensors_apart(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    with collection(tmp_path, model) as kept:
        report = kept.index(drive.parent, cache=cache)
        assert (report.counted()["added"], report.problems) == (3, [])
        found = records(kept)
        ofs = ("#front", "@cameras", "@ahead", "@left", "@behind", "@right", "@sweep")
        assert set(found) == {f"{frame:06d}{of}" for frame in range(3) for of in ofs}
        front, whole = found["000001#front"], found["000001@sweep"]
        assert {record.kind for record in found.values()} == {"frame"}
        frame = clip3d.read_log(drive)[1]
        view = next(views(frame))
        lidar = model.encode_sweeps([view.frustum], normalize=False)
        image = model.encode_images([view.image], normalize=False)
        for name, vector in (("lidar", lidar), ("camera", image), ("joint", lidar + image)):
            np.testing.assert_allclose(kept.store.vectors(name, [front.id]), unit(vector), atol=1e-5)
        quarters = [wedge(frame.sweep, heading) for heading in (0, np.pi / 2, np.pi, -np.pi / 2)]
        mean = model.encode_sweeps(quarters, normalize=False).mean(0, keepdims=True)
        np.testing.assert_allclose(kept.store.vectors("sweep-lidar", [whole.id]), unit(mean), atol=1e-5)
        assert np.isnan(kept.store.vectors("lidar", [whole.id])).all()
        assert set(kept.store.thumbnails([front.id, whole.id])) == {front.id}


def test_views_say_what_their_log_says_of_them(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache, metadata={"vehicle": "no. 7"})
        front = records(kept)["000002#front"].metadata
        told = {name: front[name] for name in ("log", "frame", "camera", "view", "pictures", "vehicle", "period")}
        assert told == {
            "log": "drive", "frame": "000002", "camera": "front", "view": "camera", "pictures": 1,
            "vehicle": "no. 7", "period": "night",
        }  # fmt: skip
        assert front["time"] == pytest.approx(0.2)
        assert isinstance(front["nearby car"], bool)
        assert isinstance(front["empty street"], bool)
        ids = kept.store.select(Condition("view = 'camera' AND time > 0.05"))
        assert len(ids) == 2


def test_a_second_run_reads_nothing_and_a_changed_frame_alone_is_made_anew(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle()
    with collection(tmp_path, model) as kept:
        first = kept.index(drive, cache=cache)
        assert first.computed == 3 * (1 + 4 + 1)
        ids = {part: record.id for part, record in records(kept).items()}
        read: list[str] = []
        reader = FrameReader.read
        monkeypatch.setattr(
            FrameReader, "read", lambda self, log, frame: [read.append(frame.key), reader(self, log, frame)][1]
        )
        again = kept.index(drive, cache=cache, metadata={"vehicle": "no. 8"})
        assert (read, again.counted()["unchanged"], again.described) == ([], 3, 21)
        picture = next((drive / "images" / "front").glob("000001.*"))
        other = next((drive / "images" / "front").glob("000002.*"))
        shutil.copyfile(other, picture)
        settle()
        third = kept.index(drive, cache=cache)
        assert (read, third.counted()["replaced"], third.computed) == (["000001"], 1, 0)
        assert {part: record.id for part, record in records(kept).items()} == ids
        same = kept.store.vectors("camera", [ids["000001#front"], ids["000002#front"]])
        np.testing.assert_array_equal(same[0], same[1])
        assert records(kept)["000001#front"].metadata["vehicle"] == "no. 8"


def test_an_interrupted_run_is_gone_on_with(
    model: Model, tmp_path: Path, cache: VectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clip3d.search.keeping.frame_encoding.FRAMES", 2)
    drive = write_log(tmp_path / "drive", frames=5)
    settle()

    def interrupt(change: Change) -> None:
        if change.path.endswith("000001"):
            raise KeyboardInterrupt

    with collection(tmp_path, model) as kept, pytest.raises(KeyboardInterrupt):
        kept.index(drive, cache=cache, tell=interrupt)
    with collection(tmp_path, model) as kept:
        report = kept.index(drive, cache=VectorCache.disabled())
        assert (report.counted()["unchanged"], report.counted()["added"]) == (2, 3)
        assert len(records(kept)) == 35


def test_bad_pictures_and_sweeps_are_told_and_what_is_left_is_kept(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    next((drive / "images" / "front").glob("000000.*")).write_bytes(b"no picture")
    next((drive / "clouds").glob("000001.*")).write_bytes(b"abc")
    with collection(tmp_path, model) as kept:
        report = kept.index(drive, cache=cache, views=["camera"])
        assert sorted(Path(problem.path).stem for problem in report.problems) == ["000000", "000001"]
        found = records(kept)
        assert set(found) == {"000000#front", "000002#front"}
        ids = [found["000000#front"].id]
        assert np.isnan(kept.store.vectors("camera", ids)).all()
        np.testing.assert_array_equal(kept.store.vectors("joint", ids), kept.store.vectors("lidar", ids))


def test_frames_and_logs_that_vanished_are_told_and_pruned(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    other = write_log(tmp_path / "logs" / "other", frames=1)
    settle()
    with collection(tmp_path, model) as kept:
        kept.index(tmp_path / "logs", cache=cache, views=["camera"])
        assert len(kept) == 4
        poses = (drive / "poses.csv").read_text().splitlines()
        (drive / "poses.csv").write_text("\n".join(poses[:-1]) + "\n")
        shutil.rmtree(other)
        told: list[Change] = []
        report = kept.index(tmp_path / "logs", cache=cache, views=["camera"], tell=told.append)
        assert report.counted()["vanished"] == 2
        assert {change.path for change in told if change.status == "vanished"} == {f"{drive}#000002", str(other)}
        kept.index(tmp_path / "logs", cache=cache, views=["camera"], prune=True)
        assert set(records(kept)) == {"000000#front", "000001#front"}


def test_logs_lie_beside_objects_and_all_is_made_anew_for_another_model(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    shape = write_off(tmp_path / "box.off", box(1, 2, 3))
    with collection(tmp_path, model) as kept:
        report = kept.index([drive, shape], cache=cache, views=["camera"])
        assert report.counted()["added"] == 4
        # pictures of a log are none of their own
        assert {record.kind for record in records(kept).values()} == {"object", "frame"}
    other = sweep_bundle(tmp_path / "other", **{**TINY, "hidden": 8})
    with Collection(tmp_path / "drive.db", other, reindex=True) as kept:
        report = kept.index((), cache=cache, views=["camera"])
        assert (report.counted()["replaced"], report.notes) == (4, [])
        assert len(kept.store.nearest({"lidar": np.ones(8, np.float32)}, 9)[0]) == 3


def test_a_sweep_without_cameras_is_kept_in_quarters(model: Model, tmp_path: Path, cache: VectorCache) -> None:
    path = tmp_path / "000008.bin"
    path.write_bytes(sweep_bytes(sweep(4)))
    with collection(tmp_path, model) as kept:
        kept.index(path, cache=cache, views=["camera"])
        assert set(records(kept)) == {f"000008@{of}" for of in ("ahead", "left", "behind", "right", "sweep")}
        # they answer where cameras are searched, too
        for name in ("joint", "quarter-lidar"):
            assert len(kept.store.nearest({name: np.ones(8, np.float32)}, 9)[0]) == 4


def test_a_model_without_a_sweep_tower_keeps_what_cameras_saw_if_asked(
    drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    plain = Model(make_bundle(tmp_path / "plain"))
    with collection(tmp_path, plain) as kept:
        kept.index(drive, cache=cache, only="sweep")
        assert set(records(kept)) == {f"00000{at}{of}" for at in range(3) for of in ("#front", "@cameras")}
        assert "points" not in records(kept)["000000#front"].metadata
        hits = kept.search("red", where="view = 'camera'")
        assert ([hit.folded for hit in hits], len(locate(hits, plain)[0])) == ([2], 1)


def _log(kind: str, folder: Path) -> Path:
    if kind == "once":
        write_once(folder / "once")
        return folder / "once"
    if kind == "nuscenes":
        box = Box("vehicle.car", np.array([12.0, 3, -0.6]), (4.2, 1.7, 1.5), 0.4)
        lidar = np.eye(4)
        lidar[:3, 3] = 0.9, 0, 1.8
        return write_small(folder / "nuscenes", lidar, lidar @ CAMERA_POSE, INTRINSICS, box)
    if kind == "kitti-object":
        write_object(folder / "object", frames=2)
        return folder / "object"
    messages = Messages(cdr=kind == "mcap")
    return write(folder / f"a.{kind}", messages, messages_of_drive(messages))


@pytest.mark.parametrize("kind", ["once", "nuscenes", "kitti-object", "bag", "mcap"])
def test_frames_of_every_layout_are_kept_found_and_located_again(
    model: Model, tmp_path: Path, cache: VectorCache, kind: str
) -> None:
    log = _log(kind, tmp_path)
    settle()
    with collection(tmp_path, model) as kept:
        kept.index(log, cache=cache, views=["camera"])
        assert len(kept) >= 2
        again = kept.index(log, cache=cache, views=["camera"])
        assert (again.counted()["added"], again.counted()["replaced"], again.computed) == (0, 0, 0)
        assert again.counted()["unchanged"] >= 2
        hits = kept.search("tall", fold=0)
        located, problems = locate(hits, model)
        assert (len(located), problems) == (len(hits), [])
        assert ("time" in hits[0].record.metadata) == (kind != "kitti-object")


def test_frames_lie_in_lancedb_too(model: Model, drive: Path, tmp_path: Path, cache: VectorCache) -> None:
    pytest.importorskip("lancedb")
    with Collection(tmp_path / "drive.lance", model) as kept:
        kept.index(drive, cache=cache)
        assert len(kept.search("tall", fold=0, k=99)) == 3
        found = kept.search(lidar="tall", camera="red", rule="ranks", fold=0, where="period = 'night'", k=99)
        assert len(found) == 3
        assert len(kept.search("tall", over="sweep", fold=10)) == 1
        assert kept.index(drive, cache=cache, metadata={"a b": 1}).counted()["unchanged"] in (0, 3)


def test_frames_that_are_numbered_and_not_timed_are_not_folded(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    (drive / "poses.csv").unlink()
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache, views=["camera"])
        assert not any("time" in record.metadata for record in records(kept).values())
        assert len(kept.search("tall")) == 3


def test_pictures_that_are_out_of_reach_are_not_taken_for_gone(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    settle()
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache, views=["camera"])
        shutil.rmtree(drive / "images")
        kept.index(drive, cache=cache, prune=True)
        assert {f"00000{at}#front" for at in range(3)} <= set(records(kept))


def test_a_log_that_is_named_twice_is_looked_at_once(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    with collection(tmp_path, model) as kept:
        report = kept.index([drive.parent, drive], cache=cache, views=["camera"])
        assert (report.counted()["added"], len(kept)) == (3, 3)


def test_what_a_log_says_goes_before_what_users_say_also_where_nothing_changed(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    settle()
    said = {"period": "never", "car": "maybe", "vehicle": "no. 7"}
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache, views=["camera"], metadata=said)
        first = records(kept)["000000#front"].metadata
        assert (first["period"], first["vehicle"], type(first["car"])) == ("night", "no. 7", bool)
        again = kept.index(drive, cache=cache, views=["camera"], metadata={**said, "vehicle": "no. 8"})
        assert again.counted()["unchanged"] == 3
        assert records(kept)["000000#front"].metadata == {**first, "vehicle": "no. 8"}


def test_views_of_a_camera_that_is_no_longer_there_vanish_alone(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    settle()
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache)
        calibration = drive / "calibration.toml"
        head, camera, _ = calibration.read_text().partition('[cameras."front"]')
        assert camera
        calibration.write_text(head)
        told: list[Change] = []
        kept.index(drive, cache=cache, views=["sweep"], tell=told.append)
        lost = [f"{drive}#00000{at}{of}" for at in range(3) for of in ("#front", "@cameras")]
        assert sorted(change.path for change in told if change.status == "vanished") == sorted(lost)
        kept.index(drive, cache=cache, prune=True)
        assert set(records(kept)) == {
            f"00000{at}@{of}" for at in range(3) for of in ("ahead", "left", "behind", "right", "sweep")
        }


def test_names_of_cameras_may_hold_the_signs_that_stand_before_them() -> None:
    assert frame_of("000012#front") == "000012"
    assert frame_of("000012@cameras", {"000012"}) == "000012"
    assert frame_of("000012#cam#2@left", {"000012"}) == "000012"
    assert frame_of("7@2#front", {"7@2"}) == "7@2"


def test_a_log_for_a_model_without_a_sweep_tower_is_told_to_be_taken_apart(
    drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    with collection(tmp_path, Model(make_bundle(tmp_path / "plain"))) as kept:
        (note,) = kept.index(drive.parent, cache=cache).notes
        assert note.startswith(f"{drive} is a driving log")
        assert "--only frames" in note


def test_what_a_log_left_at_its_old_place_is_removed_by_indexing_that_place(
    model: Model, drive: Path, tmp_path: Path, cache: VectorCache
) -> None:
    with collection(tmp_path, model) as kept:
        kept.index(drive, cache=cache, views=["camera"])
        (drive.parent / "notes.txt").write_text("an empty folder may be a disk that is away")
        moved = shutil.move(drive, tmp_path / "elsewhere")
        kept.index(moved, cache=cache, views=["camera"])
        assert "--prune" in str(locate(kept.search("tall", fold=0), model)[1][0])
        report = kept.index(drive, cache=cache, prune=True)
        assert (report.counted()["pruned"], len(kept)) == (3, 3)
