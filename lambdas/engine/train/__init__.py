"""Fit a detector: clean, calibrate, set limits, compare with the version before."""
