"""Ingestion jobs: files of a customer become columns of a dataset."""
