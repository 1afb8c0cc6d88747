"""`l4e demo`: one asset from its history to an anomaly, on the embedded AWS."""
