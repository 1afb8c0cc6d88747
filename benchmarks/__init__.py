"""Measurements of the engine and the training job: `make bench` runs them."""
