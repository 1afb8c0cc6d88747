"""What a data or label file must look like, and how a wrong one is recognised; standard library only."""
