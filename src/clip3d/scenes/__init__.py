"""Scanned rooms that are asked for things: parted without labels, a vector a part, answered with places."""
