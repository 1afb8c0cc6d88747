"""Inference: each due window of a scheduler becomes one execution."""
