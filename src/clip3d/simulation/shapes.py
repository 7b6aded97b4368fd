"""Primitive shapes as coloured meshes: the words that procedural objects are written in.

All shapes are z-up in metres, with counter-clockwise faces seen from outside. Boxes, cylinders and cushions stand
on `at` (the middle of their underside); balls and rings are centred on it. Colours are sRGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.clouds.mesh import Mesh

Floats = NDArray[np.float64]
Color = tuple[float, float, float]
Vector = Sequence[float]

GREY: Color = (0.6, 0.6, 0.6)
ORIGIN: Vector = (0.0, 0.0, 0.0)

_CUBE = np.array([[x, y, z] for z in (0, 1) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
_CUBE_FACES = np.array(
    [0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4, 2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5]
).reshape(12, 3)
# In each quarter of the disc, a corner of a bevelled box has its own rounded outline.
_CORNERS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])


def painted(vertices: ArrayLike, faces: NDArray[np.intp], color: Color) -> Mesh:
    """A mesh of (v, 3) vertices and (f, 3) faces in one colour."""
    shade = np.asarray(color, dtype=np.float32)
    return Mesh(np.asarray(vertices), faces, face_colors=np.tile(shade, (len(faces), 1)))


def box(size: Vector, at: Vector = ORIGIN, color: Color = GREY, bevel: float = 0.0) -> Mesh:
    """A box of size (x, y, z) standing on `at`; `bevel` cuts its edges by that many metres."""
    if bevel <= 0:
        return painted(_CUBE * size + at, _CUBE_FACES, color)
    x, y, z = size
    b = min(bevel, 0.49 * min(size))
    half = np.array([x / 2, y / 2])
    outer = _corner_outline(half, b)
    inner = _corner_outline(half - b, b * 0.02)
    rings = [(inner, 0.0), (outer, b), (outer, z - b), (inner, z)]
    sections = np.stack([np.column_stack([ring, np.full(len(ring), h)]) for ring, h in rings])
    return loft(sections + np.asarray(at), color)


def _corner_outline(half: Floats, bevel: float) -> Floats:
    """Eight points around a rectangle whose corners are cut by `bevel`: (8, 2), counter-clockwise."""
    points = []
    for sx, sy in _CORNERS:
        pair = [(sx * half[0], sy * (half[1] - bevel)), (sx * (half[0] - bevel), sy * half[1])]
        points += pair if sx * sy > 0 else pair[::-1]
    return np.array(points)


def cylinder(
    radius: float,
    height: float,
    at: Vector = ORIGIN,
    color: Color = GREY,
    top: float | None = None,
    sides: int = 16,
) -> Mesh:
    """A cylinder, or a cone or its stump where the radius at the `top` differs, standing on `at`."""
    return lathe([(radius, 0.0), (radius if top is None else top, height)], at, color, sides)


def rod(
    start: Vector, end: Vector, radius: float, color: Color = GREY, end_radius: float | None = None, sides: int = 8
) -> Mesh:
    """A straight round bar from one point to another, perhaps tapered."""
    return tube([start, end], (radius, radius if end_radius is None else end_radius), color, sides)


def beam(start: Vector, end: Vector, width: float, height: float, color: Color = GREY) -> Mesh:
    """A straight bar of rectangular section; `height` is measured in the plane of the bar and z."""
    corner = np.sqrt(2.0)
    return tube([start, end], 1.0, color, 4, section=(width / corner, height / corner), turn=np.pi / 4)


def sphere(radius: float | Vector, at: Vector = ORIGIN, color: Color = GREY, sides: int = 14) -> Mesh:
    """A ball, or an ellipsoid where `radius` gives three half-axes, centred on `at`."""
    rings = max(sides // 2, 4)
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    ball = _unit_rings(np.cos(angle), np.sin(angle), sides)
    return _closed(ball * np.asarray(radius) + np.asarray(at), color)


def dome(radius: float | Vector, at: Vector = ORIGIN, color: Color = GREY, sides: int = 16) -> Mesh:
    """The upper half of a ball or ellipsoid, its flat side on `at`."""
    angle = np.linspace(0, np.pi / 2, max(sides // 3, 4))
    return _closed(_unit_rings(np.cos(angle), np.sin(angle), sides) * np.asarray(radius) + np.asarray(at), color)


def cushion(size: Vector, at: Vector = ORIGIN, color: Color = GREY, softness: float = 0.4, sides: int = 16) -> Mesh:
    """A soft box standing on `at`: a superellipsoid, from nearly a box (softness 0.1) to an ellipsoid (1)."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, 9)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
    ring = np.stack([_power(np.cos(turn), softness), _power(np.sin(turn), softness)], axis=1)
    level, shrink = _power(np.sin(latitude), softness), _power(np.cos(latitude), softness)
    shrink[[0, -1]] = 0
    sections = np.concatenate(
        [shrink[:, None, None] * ring[None], np.broadcast_to(level[:, None, None], (9, sides, 1))], axis=2
    )
    half = np.asarray(size) / 2
    return _closed(sections * half + np.asarray(at) + [0, 0, half[2]], color)


def _power(value: Floats, exponent: float) -> Floats:
    return np.sign(value) * np.abs(value) ** exponent


def torus(
    radius: float, thickness: float, at: Vector = ORIGIN, color: Color = GREY, sides: int = 20, arc: float = 360.0
) -> Mesh:
    """A ring lying flat, centred on `at`: `thickness` is the radius of the tube, `arc` its extent in degrees."""
    whole = arc >= 360
    turn = np.radians(np.linspace(0, arc, sides, endpoint=not whole))
    path = np.stack([radius * np.cos(turn), radius * np.sin(turn), np.zeros(sides)], axis=1)
    return tube(path + np.asarray(at), thickness, color, 8, closed=whole)


def capsule(
    start: Vector, end: Vector, radius: float, color: Color = GREY, end_radius: float | None = None
) -> Mesh:
    """A bar with round ends, perhaps tapered; the ends lie beyond the two points by their radii."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    r0, r1 = radius, radius if end_radius is None else end_radius
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    angle = np.radians([80, 50, 20])
    first = [a - along * r0 * s for s in np.sin(angle)]
    last = [b + along * r1 * s for s in np.sin(angle[::-1])]
    radii = np.concatenate([r0 * np.cos(angle), r1 * np.cos(angle[::-1])])
    return tube(np.array(first + last), radii, color, 10)


def tube(
    path: ArrayLike,
    radius: float | ArrayLike,
    color: Color = GREY,
    sides: int = 8,
    closed: bool = False,
    section: tuple[float, float] = (1.0, 1.0),
    turn: float = 0.0,
) -> Mesh:
    """A tube along a curve.

    Args:
        path: (k, 3) points of the curve; `closed` joins the last to the first.
        radius: one radius, or one for each point.
        color: of the surface.
        sides: corners of the section.
        closed: whether the curve is a ring.
        section: factors of the radius across and along the direction that leans towards z.
        turn: radians by which the section starts, so that four sides can make a square bar.
    """
    points = np.asarray(path, dtype=float)
    tangent = np.roll(points, -1, 0) - np.roll(points, 1, 0) if closed else _slope(points)
    tangent /= np.maximum(np.sqrt((tangent**2).sum(1, keepdims=True)), 1e-12)
    worst = np.abs(tangent).max(axis=0)
    reference = np.eye(3)[2 if worst[2] < 0.95 else int(np.argmin(worst))]
    across = _cross(tangent, np.broadcast_to(reference, tangent.shape))
    across /= np.maximum(np.sqrt((across**2).sum(1, keepdims=True)), 1e-12)
    upwards = _cross(across, tangent)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + turn
    radii = np.broadcast_to(np.asarray(radius, dtype=float), (len(points),))[:, None, None]
    cosine, sine = np.cos(angle)[None, :, None] * section[0], np.sin(angle)[None, :, None] * section[1]
    sections = points[:, None] + radii * (cosine * across[:, None] + sine * upwards[:, None])
    return loft(sections[:, ::-1], color, closed=closed)


def _slope(points: Floats) -> Floats:
    step = np.diff(points, axis=0)
    return np.concatenate([step[:1], step[:-1] + step[1:], step[-1:]])


def _cross(a: Floats, b: Floats) -> Floats:
    # Several times faster than numpy.cross on few rows, and this is called for every tube.
    return np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )


def lathe(profile: ArrayLike, at: Vector = ORIGIN, color: Color = GREY, sides: int = 18) -> Mesh:
    """A surface of revolution about the vertical through `at`.

    Args:
        profile: (k, 2) radius and height, read upwards for an outside; a hollow vessel turns and comes down again.
            An end off the axis is closed with a flat cap.
        at: where the profile's origin lies.
        color: of the surface.
        sides: corners around.
    """
    outline = np.asarray(profile, dtype=float)
    return _closed(_unit_rings(outline[:, 0], outline[:, 1], sides) + np.asarray(at), color)


def loft(sections: ArrayLike, color: Color = GREY, closed: bool = False) -> Mesh:
    """A skin over k closed sections of n points each, (k, n, 3), with flat caps unless it bites its own tail."""
    rings = np.asarray(sections, dtype=float)
    k, n = rings.shape[:2]
    if closed:
        return painted(rings.reshape(-1, 3), _skin_faces(k, n, True, False), color)
    ends = np.stack([rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    return painted(np.concatenate([rings.reshape(-1, 3), ends]), _skin_faces(k, n, False, True), color)


def _closed(rings: Floats, color: Color) -> Mesh:
    """A loft whose first and last ring may have shrunk to a point, which then becomes the tip of the cap."""
    tips = np.stack([rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    first = 1 if np.ptp(rings[0], axis=0).max() < 1e-9 else 0
    last = len(rings) - (1 if np.ptp(rings[-1], axis=0).max() < 1e-9 else 0)
    body = rings[first:last]
    faces = _skin_faces(len(body), body.shape[1], False, True)
    return painted(np.concatenate([body.reshape(-1, 3), tips]), faces, color)


def _unit_rings(radius: Floats, height: Floats, sides: int) -> Floats:
    """Circles of the given radii at the given heights: (k, sides, 3)."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    x, y = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    x[np.abs(radius) < 1e-12] = y[np.abs(radius) < 1e-12] = 0
    return np.stack([x, y, np.broadcast_to(height[:, None], x.shape)], axis=2)


@lru_cache(maxsize=512)
def _skin_faces(k: int, n: int, ring: bool, caps: bool) -> NDArray[np.intp]:
    """Faces of k sections of n points; the caps' middles are vertices k*n and k*n + 1."""
    rows = np.arange(k if ring else k - 1)[:, None]
    column, beside = np.arange(n)[None], (np.arange(n)[None] + 1) % n
    a, b = rows * n + column, rows * n + beside
    d, c = (rows + 1) % k * n + column, (rows + 1) % k * n + beside
    faces = [np.stack([a, b, c], axis=2).reshape(-1, 3), np.stack([a, c, d], axis=2).reshape(-1, 3)]
    if caps:
        last = (k - 1) * n
        faces.append(np.stack([beside[0], column[0], np.full(n, k * n)], axis=1))
        faces.append(np.stack([last + column[0], last + beside[0], np.full(n, k * n + 1)], axis=1))
    return np.concatenate(faces).astype(np.intp)


def extrude(outline: ArrayLike, depth: float, at: Vector = ORIGIN, color: Color = GREY) -> Mesh:
    """A plate with the given (n, 2) outline in x and y, any simple polygon, `depth` thick upwards from `at`."""
    polygon = np.asarray(outline, dtype=float)
    x, y = polygon.T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0:
        polygon = polygon[::-1]
    n = len(polygon)
    vertices = np.zeros((2 * n, 3))
    vertices[:, :2] = np.tile(polygon, (2, 1))
    vertices[n:, 2] = depth
    lid = _ears(polygon)
    faces = np.concatenate([_skin_faces(2, n, False, False), lid[:, ::-1], lid + n])
    return painted(vertices + np.asarray(at), faces, color)


def _ears(polygon: Floats) -> NDArray[np.intp]:
    """Triangles of a simple counter-clockwise polygon by cutting ears (Meisters 1975): (n - 2, 3)."""
    n = len(polygon)
    x, y = polygon.T
    turn = np.roll(x, 1) * (y - np.roll(y, -1)) + x * (np.roll(y, -1) - np.roll(y, 1))
    if (turn + np.roll(x, -1) * (np.roll(y, 1) - y) >= 0).all():
        return np.array([[0, i, i + 1] for i in range(1, n - 1)], dtype=np.intp)
    points = [(float(px), float(py)) for px, py in polygon]
    left, triangles = list(range(n)), []
    while len(left) > 3:
        ear = next((i for i in range(len(left)) if _is_ear(points, left, i)), 0)
        triangles.append([left[ear - 1], left[ear], left[(ear + 1) % len(left)]])
        del left[ear]
    return np.array([*triangles, left], dtype=np.intp)


def _is_ear(points: list[tuple[float, float]], left: list[int], i: int) -> bool:
    corners = left[i - 1], left[i], left[(i + 1) % len(left)]
    (ax, ay), (bx, by), (cx, cy) = (points[k] for k in corners)
    if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) <= 1e-12:
        return False
    for k in left:
        if k in corners:
            continue
        px, py = points[k]
        if (
            (bx - ax) * (py - ay) - (by - ay) * (px - ax) >= 0
            and (cx - bx) * (py - by) - (cy - by) * (px - bx) >= 0
            and (ax - cx) * (py - cy) - (ay - cy) * (px - cx) >= 0
        ):
            return False
    return True


def sheet(points: ArrayLike, color: Color = GREY) -> Mesh:
    """An open surface through a grid of points (k, n, 3): cloth, sails, leaves, terrain."""
    grid = np.asarray(points, dtype=float)
    k, n = grid.shape[:2]
    return painted(grid.reshape(-1, 3), _sheet_faces(k, n), color)


def ribbon(path: ArrayLike, width: float | ArrayLike, color: Color = GREY) -> Mesh:
    """A strip along a (k, 3) curve, spread in y by one width or by one for each point."""
    points = np.asarray(path, dtype=float)
    half = np.broadcast_to(np.asarray(width, dtype=float) / 2, (len(points),))[:, None] * np.array([0.0, 1.0, 0.0])
    return sheet(np.stack([points - half, points + half], axis=1), color)


@lru_cache(maxsize=256)
def _sheet_faces(k: int, n: int) -> NDArray[np.intp]:
    index = np.arange(k * n).reshape(k, n)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.concatenate([np.stack([a, b, c], 2).reshape(-1, 3), np.stack([a, c, d], 2).reshape(-1, 3)])


def leaf(length: float, width: float, droop: float = 0.0, color: Color = (0.2, 0.5, 0.2)) -> Mesh:
    """A pointed leaf from the origin along x; its tip hangs down by `droop` metres, its sides rise a little."""
    t = np.linspace(0, 1, 6)
    half = width / 2 * np.sin(np.pi * np.clip(t, 0.03, 0.97) ** 0.8)
    grid = np.zeros((6, 3, 3))
    grid[:, :, 0] = (length * t)[:, None]
    grid[:, :, 1] = half[:, None] * np.array([-1, 0, 1])
    grid[:, :, 2] = -droop * (t**2)[:, None] + half[:, None] * np.array([0.3, 0, 0.3])
    return sheet(grid, color)
