"""The jobs behind the API: ingestion, training, inference. Only they use the engine."""
