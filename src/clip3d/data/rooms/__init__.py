"""Scanned rooms with labels: those of ScanNet and S3DIS, those that were simulated, and the making of these."""
