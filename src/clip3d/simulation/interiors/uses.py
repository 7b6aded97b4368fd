"""What rooms are used for, and what each use asks of a room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clip3d.simulation.interiors.groupings import hang_lights
from clip3d.simulation.interiors.homes import bathroom, bedroom, kitchen, living_room, storage_room, studio
from clip3d.simulation.interiors.placing import Placer
from clip3d.simulation.interiors.workplaces import classroom, lounge, meeting_room, office

Furnish = Callable[[Placer], None]


@dataclass(frozen=True)
class Use:
    """A use of rooms.

    Attributes:
        area: least and most square metres.
        furnish: puts the things in their places, the most important first.
        share: how often it is drawn, beside the others.
        doors: least and most.
        windows: least and most.
        l_shaped: chance that a corner is missing.
        wet: whether its floor and walls are tiled.
    """

    area: tuple[float, float]
    furnish: Furnish
    share: float = 1.0
    doors: tuple[int, int] = (1, 2)
    windows: tuple[int, int] = (1, 2)
    l_shaped: float = 0.2
    wet: bool = False


USES: Mapping[str, Use] = {
    "living room": Use((14, 34), living_room, 1.6, l_shaped=0.3, windows=(1, 3)),
    "bedroom": Use((9, 22), bedroom, 1.6),
    "office": Use((10, 36), office, 1.6, windows=(1, 3)),
    "kitchen": Use((8, 22), kitchen, 1.3),
    "bathroom": Use((4.5, 11), bathroom, 1.2, doors=(1, 1), windows=(0, 1), l_shaped=0.1, wet=True),
    "meeting room": Use((14, 36), meeting_room, 1.0, windows=(0, 3)),
    "classroom": Use((30, 60), classroom, 0.5, windows=(2, 4), l_shaped=0.0),
    "lounge": Use((16, 40), lounge, 0.7, windows=(1, 3)),
    "storage room": Use((6, 14), storage_room, 0.5, doors=(1, 1), windows=(0, 1)),
    "studio": Use((24, 42), studio, 0.7, windows=(1, 3), l_shaped=0.35),
}


def finish(p: Placer, use: str) -> None:
    """Lights under the ceiling, which hang where nothing else does."""
    hang_lights(p, office=use in ("office", "meeting room", "classroom", "lounge"))
