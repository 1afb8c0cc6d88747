"""S3 as the jobs use it: the service's own bucket and the customer's."""
