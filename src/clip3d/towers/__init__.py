"""Encoders from one modality into a space, one architecture a file."""
