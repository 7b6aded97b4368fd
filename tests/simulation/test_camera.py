"""Rendered pictures of the driving simulator: geometry, light, weather, lens."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.simulation.driving.camera import render
from clip3d.simulation.driving.camera_lens import smear
from clip3d.simulation.driving.camera_water import drops
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import MATERIAL, Conditions, Lamp, Snapshot, Thing
from clip3d.simulation.shapes import box

pytest.importorskip("embreex")

AHEAD = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64)
HIGH = 1.6


def camera(width: int = 96, height: int = 96, focal: float = 80.0) -> Camera:
    middle = (width - 1) / 2, (height - 1) / 2
    intrinsics = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    return Camera("front", width, height, intrinsics, np.linalg.inv(AHEAD))


def pose() -> np.ndarray:
    """Of a camera above the world's origin that looks along x."""
    found = AHEAD.copy()
    found[2, 3] = HIGH
    return found


def street(conditions: Conditions | None = None, *boxes: tuple[np.ndarray, str, float], **more: object) -> Snapshot:
    """Flat asphalt, and boxes (corners (f, 3, 3), their material, their grey)."""
    a, b, c, d = [(-150, -150, 0), (150, -150, 0), (150, 150, 0), (-150, 150, 0)]
    parts = [(np.array([[a, b, c], [a, c, d]], np.float32), "asphalt", 0.5), *boxes]
    owners = [np.full(len(part[0]), number - 1, np.int32) for number, part in enumerate(parts)]
    return Snapshot(
        corners=np.concatenate([part[0] for part in parts]),
        colors=np.concatenate([np.full((len(part[0]), 3), part[2], np.float32) for part in parts]),
        materials=np.concatenate([np.full(len(part[0]), MATERIAL[part[1]], np.uint8) for part in parts]),
        owners=np.concatenate(owners),
        things=tuple(Thing("car", ("car",), np.zeros(3), (1, 1, 1), 0.0, str(n)) for n in range(len(boxes))),
        world_from_vehicle=np.eye(4),
        conditions=conditions or Conditions(to_sun=(0, 0.1, 0.995)),
        **more,  # type: ignore[arg-type]
    )


def block(x: float, y: float, size: float, z: float = 0.0) -> np.ndarray:
    mesh = box((size, size, size), (x, y, z))
    return mesh.vertices[mesh.faces].astype(np.float32)


def picture(snapshot: Snapshot, seed: int = 0, **more: int) -> np.ndarray:
    return render(snapshot, RayCaster(snapshot.corners), camera(), pose(), np.random.default_rng(seed), **more)


def grey(image: np.ndarray) -> np.ndarray:
    return image.astype(float).mean(axis=2)


def test_a_picture_has_its_cameras_size_and_a_byte_a_colour():
    snapshot = street()
    found = render(snapshot, RayCaster(snapshot.corners), camera(70, 41), pose(), np.random.default_rng(0))
    assert (found.shape, found.dtype) == ((41, 70, 3), np.uint8)


def test_things_stand_where_the_camera_projects_them():
    size, x, y = 1.0, 8.0, 0.7
    wall = block(x, y, size, z=HIGH)  # wholly above the horizon, before the sky
    image = grey(picture(street(Conditions(weather="foggy", visibility=900.0), (wall, "plastic", 0.02))))
    front = wall.reshape(-1, 3)
    pixels = camera().project(camera().to_camera(front - [0, 0, HIGH]))
    rows, columns = np.nonzero((image < image[:46].max() * 0.6)[:47])
    assert columns.min() == pytest.approx(pixels[:, 0].min(), abs=1)
    assert columns.max() == pytest.approx(pixels[:, 0].max(), abs=1)
    assert rows.min() == pytest.approx(pixels[:, 1].min(), abs=1)


def test_shadows_fall_away_from_the_sun():
    sunny = Conditions(to_sun=(0.0, 0.7, 0.714), weather="sunny")
    image = grey(picture(street(sunny, (block(10, 0, 2.0), "plastic", 0.5))))
    left, right = pixel(10, 2), pixel(10, -2)
    assert image[right] < 0.7 * image[left]


def pixel(x: float, y: float, z: float = 0.0) -> tuple[int, int]:
    u, v = camera().project(camera().to_camera(np.array([[x, y, z - HIGH]])))[0]
    return round(v), round(u)


def test_nights_are_darker_than_days_and_dusk_lies_between():
    means = [picture(street(Conditions(period=period, sun=0.6))).mean() for period in ("day", "dusk", "night")]
    assert means[0] > means[1] > means[2]


def test_fog_hides_the_far_and_keeps_the_near():
    boxes = (block(7, 1.5, 1.5), "plastic", 0.02), (block(70, -15, 15), "plastic", 0.02)
    places = pixel(6.2, 1.5, 0.75), pixel(62.4, -15, 7)
    contrasts = []
    for conditions in (Conditions(weather="cloudy", sun=0), Conditions(weather="foggy", sun=0, visibility=60)):
        with_, without = grey(picture(street(conditions, *boxes))), grey(picture(street(conditions)))
        contrasts.append([abs(with_[p] - without[p]) / without[p] for p in places])
    (near, far), (near_in_fog, far_in_fog) = contrasts
    assert min(near, far) > 0.5
    assert near_in_fog > 0.25
    assert far_in_fog < 0.08


def test_headlights_light_what_stands_ahead_but_not_beside():
    night = Conditions(period="night", sun=0)
    boxes = (block(12, 0, 2.0), "plaster", 0.8), (block(12, 6, 2.0), "plaster", 0.8)
    image = grey(picture(street(night, *boxes)))
    assert image[pixel(11, 0, 1.0)] > 2 * image[pixel(11, 5.5, 1.0)]


def test_a_lamp_lights_its_side_of_a_wall_and_glows_itself():
    night = Conditions(period="night", sun=0)
    wall, bulb = block(14, 0, 6.0), block(9, 2.5, 0.2, z=3)
    lamp = Lamp(np.array([9, 2.5, 3.1], np.float32), np.ones(3, np.float32))
    dark = grey(picture(street(night, (wall, "plaster", 0.8), (bulb, "lamp", 0.9))))
    lit = grey(picture(street(night, (wall, "plaster", 0.8), (bulb, "lamp", 0.9), lamps=(lamp,))))
    assert lit[pixel(11, 2.5, 3.0)] > 1.5 * lit[pixel(11, -2.5, 3.0)]
    assert lit[pixel(9, 2.5, 3.1)] > 200 > dark[pixel(9, 2.5, 3.1)]


def test_a_retroreflector_shines_in_the_headlights():
    night = Conditions(period="night", sun=0)
    sign, cloth = block(20, -1.5, 0.8, z=1.0), block(20, 1.5, 0.8, z=1.0)
    image = grey(picture(street(night, (sign, "retroreflector", 0.1), (cloth, "cloth", 0.1))))
    assert image[pixel(19.6, -1.5, 1.4)] > 1.5 * image[pixel(19.6, 1.5, 1.4)]


def test_the_sun_glares_around_its_pixel():
    towards = np.array([1.0, 0.0, 0.25])
    image = grey(picture(street(Conditions(to_sun=tuple(towards / np.linalg.norm(towards))))))
    row, column = pixel(1000, 0, 250 + HIGH)
    distance = np.hypot(*np.ogrid[-row : 96 - row, -column : 96 - column])
    assert image[distance < 3].min() > 235
    assert image[(distance < 12) & (distance > 6)].mean() > image[:20, :20].mean() + 15


def test_wet_ground_mirrors_what_stands_on_it():
    tall = block(16, 0, 6.0), "plaster", 0.02
    dry, wet = (
        grey(picture(street(Conditions(weather="rainy", sun=0, wet=w), tall))) for w in (0.0, 1.0)
    )
    before, beside = pixel(9, 0), pixel(9, 4.5)
    assert wet[before] / wet[beside] < dry[before] / dry[beside] - 0.15


def test_equal_states_of_chance_give_equal_pictures():
    rain = Conditions(weather="rainy", sun=0, rain=10, wet=1, lens_drops=True, blur=20)
    snapshot = street(rain, (block(10, 1, 2.0), "car paint", 0.5))
    assert (picture(snapshot, 3) == picture(snapshot, 3)).all()
    assert (picture(snapshot, 3) != picture(snapshot, 4)).any()


def test_drops_on_the_lens_change_few_pixels():
    light = np.random.default_rng(0).uniform(0, 1, (120, 160, 3)).astype(np.float32)
    changed = (drops(light, np.random.default_rng(1)) != light).any(axis=2).mean()
    assert 0.005 < changed < 0.4


def test_blur_keeps_the_mean_and_smooths():
    light = np.random.default_rng(0).uniform(0, 1, (80, 120, 3)).astype(np.float32)
    blurred = smear(light, 8.0, np.random.default_rng(1))
    assert blurred.mean() == pytest.approx(light.mean(), rel=0.02)
    assert blurred.std() < 0.6 * light.std()


def test_nothing_at_all_gives_a_sky():
    empty = Snapshot(
        np.zeros((0, 3, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros(0, np.uint8), np.zeros(0, np.int32),
        (), np.eye(4),
    )  # fmt: skip
    for period in ("day", "night"):
        shown = picture(Snapshot(**{**vars(empty), "conditions": Conditions(period=period, lens_drops=True)}))
        assert shown.shape == (96, 96, 3)
    image = picture(empty)
    assert image[:30, :, 2].mean() > image[:30, :, 0].mean()


def test_more_samples_smooth_edges():
    wall = block(8, 0, 1.0, z=HIGH), "plastic", 0.02
    haze = Conditions(weather="foggy", visibility=900)
    one, many = (grey(picture(street(haze, wall), samples=n)) for n in (1, 8))
    edge = slice(38, 47), slice(30, 66)
    between = [((image[edge] > 60) & (image[edge] < 150)).sum() for image in (one, many)]
    assert between[1] >= between[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"world_from_camera": np.eye(3)}, "4, 4"),
        ({"samples": 0}, "samples"),
        ({"camera": "distorted"}, "distortion"),
    ],
)
def test_what_cannot_be_rendered_is_refused(change: dict[str, object], message: str):
    snapshot, given = street(), camera()
    if change.get("camera"):
        given = Camera("front", 8, 8, given.intrinsics, given.camera_from_lidar, (0.1, 0, 0, 0))
    with pytest.raises(ShapeError, match=message):
        render(
            snapshot,
            RayCaster(snapshot.corners),
            given,
            np.asarray(change.get("world_from_camera", pose())),
            np.random.default_rng(0),
            samples=int(change.get("samples", 4)),  # type: ignore[call-overload]
        )
