"""Where collections are kept: one SQLite file, or LanceDB."""
