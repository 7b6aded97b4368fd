"""Conditions on records: one SQL expression, parsed, never run as it was written."""
