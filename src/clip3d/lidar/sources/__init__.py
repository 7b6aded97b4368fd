"""Readers of driving logs, one file a source."""
