"""Which of a table's unnamed columns are colours and which are normals."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.cloud import Axis, Unit
from clip3d.clouds.formats.contents import Contents, Numbers, to_unit_range


def split_columns(table: Numbers, up: Axis | None = None, unit: Unit | None = None) -> Contents:
    """Points and, from columns 4-6 and 7-9 of a table (n, 3 or more), colours and normals.

    Three columns are normals if nearly all of their rows have length 1; otherwise colours if all values lie in
    0-255 (they are 0-1 if none exceeds 1); otherwise they are left out.
    """
    colors = normals = None
    for at in range(3, min(table.shape[1], 9) - 2, 3):
        columns = table[:, at : at + 3]
        if normals is None and _are_normals(columns):
            normals = columns
        elif colors is None and len(columns) and bool(((columns >= 0) & (columns <= 255)).all()):
            colors = to_unit_range(columns)
    return Contents(points=table[:, :3], colors=colors, normals=normals, up=up, unit=unit)


def _are_normals(columns: Numbers) -> bool:
    if columns.dtype.kind != "f" or not len(columns):
        return False
    length = np.linalg.norm(columns.astype(np.float64), axis=1)
    return bool((np.abs(length - 1) < 0.02).mean() > 0.95)
