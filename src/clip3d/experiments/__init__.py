"""The papers' tables and figures, and this project's own: data, training and evaluation put together."""
