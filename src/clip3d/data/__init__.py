"""Training data: iterables and the builders that make them from installable packages."""
