"""The operations of the API: each a function from a request to the record of its reply."""
