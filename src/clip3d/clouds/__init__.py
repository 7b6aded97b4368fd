"""Clouds: files become points in a declared frame, and points are sampled, normalised and augmented."""
