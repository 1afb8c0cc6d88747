"""`l4e validate`: read sensor files as the service will, and say what it would make of them."""
