"""Members of requests and replies that have rules of their own. Pure."""
