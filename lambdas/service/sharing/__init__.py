"""Datasets and model versions that one service lets another import."""
