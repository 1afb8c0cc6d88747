"""Events explained in sentences."""
