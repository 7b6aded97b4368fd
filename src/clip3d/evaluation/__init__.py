"""Evaluation: protocols and metrics on a given model."""
