"""Collections for other programs."""
