"""What a request is, who may send it, and what its reply looks like."""
