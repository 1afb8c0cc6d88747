"""Imports: copies of datasets and model versions that this or another account shares."""
