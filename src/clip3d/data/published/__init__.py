"""Sets of labelled clouds as they are published or kept, one way a file."""
