"""S3 as the jobs use it: keys in the service's own bucket, and the customer's buckets."""
