"""What vehicles share: wheels and bodies cut out by their side view."""

from __future__ import annotations

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.moving import copies, merge, move, ring, rotate
from clip3d.simulation.shapes import Color, cylinder, extrude, lathe, rod, torus


def wheel(radius: float, width: float, rim: Color = (0.6, 0.6, 0.62)) -> Mesh:
    """A wheel that rolls along x, centred on the origin."""
    tyre = lathe(
        [(radius * 0.55, -width / 2), (radius, -width / 2), (radius, width / 2), (radius * 0.55, width / 2)],
        color=(0.08, 0.08, 0.08),
    )
    return rotate(merge([tyre, cylinder(radius * 0.56, width * 0.8, (0, 0, -width * 0.4), rim, sides=10)]), "x", 90)


def wheels(radius: float, width: float, axles: list[float], track: float, rim: Color = (0.6, 0.6, 0.62)) -> Mesh:
    """Pairs of wheels on the ground at the given x, their middles `track` apart."""
    return copies(wheel(radius, width, rim), [(x, s * track / 2, radius) for x in axles for s in (-1, 1)])


def spoked(radius: float, color: Color, tyre: float = 0.018) -> Mesh:
    """A thin wheel with spokes that rolls along x."""
    flat = merge(
        [
            torus(radius, tyre, color=(0.1, 0.1, 0.1)),
            ring(rod((0, 0, 0), (radius, 0, 0), 0.004, color, sides=4), 12),
            cylinder(0.025, 0.06, (0, 0, -0.03), color),
        ]
    )
    return rotate(flat, "x", 90)


def side_profile(points: list[tuple[float, float]], width: float, color: Color) -> Mesh:
    """A body with the given outline in x and z, `width` across y."""
    return move(rotate(extrude(points, width, color=color), "x", 90), (0, width / 2, 0))
