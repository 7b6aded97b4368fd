"""Procedural objects with exact truth."""

from clip3d.simulation.family import Family, ProceduralObject
from clip3d.simulation.objects import FAMILIES, generate, make

__all__ = ["FAMILIES", "Family", "ProceduralObject", "generate", "make"]
