"""The jobs behind the API: ingestion, training and inference. The only part of the service that uses the engine."""
