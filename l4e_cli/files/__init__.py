"""The sensor files of an asset: where they lie, which component they belong to, and what is in them."""
