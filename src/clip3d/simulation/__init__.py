"""Procedural objects with exact truth."""
