"""What the service keeps: records in its table, documents in its bucket."""
