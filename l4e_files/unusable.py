"""What makes a data file unusable as a whole."""


class UnusableFile(ValueError):  # noqa: N818 - a name of the engine's published interface
    """A file that cannot be used as a whole; the message says why, and what to do."""


class IllegalHeader(UnusableFile):
    """A header with a name that fails the whole ingestion job, not only this file."""
