"""Questions to a collection become answers."""
