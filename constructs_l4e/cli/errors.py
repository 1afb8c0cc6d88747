"""The error that a person at the terminal sees."""


class CliError(Exception):
    """Something the user can understand and act on. Its message is printed without a traceback."""
