"""When inference and retraining happen, and on which windows."""
