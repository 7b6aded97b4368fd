"""Bundles of towers with their card and weights."""
