"""Furnished rooms, and their scans by a simulated depth camera and a simulated terrestrial scanner."""
