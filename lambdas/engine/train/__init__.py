"""Fit a detector: clean the rows, calibrate the views, set limits; compare it with an earlier version."""
