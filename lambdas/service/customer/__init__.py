"""What belongs to the users of the service: their buckets, keys and roles."""
