"""Finding items: embed, compare, rank."""
