"""Read files: CSV to columns, columns to one time-ordered component, and what was found on the way."""
