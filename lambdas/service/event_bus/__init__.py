"""Events for others: what the service tells on the default event bus of its account and Region."""
