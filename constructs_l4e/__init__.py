"""Infrastructure as code for equipment monitoring with Amazon Lookout for Equipment (L4E)."""
