"""Lidar sweeps with their camera images, calibration and time."""
