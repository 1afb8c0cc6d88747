"""Training jobs: columns of a dataset become a model version."""
