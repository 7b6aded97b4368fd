"""Collections are brought up to date with files."""
