"""The error that a person at the terminal sees."""


class CliError(Exception):
    """Something the user can understand and act on. Its message is printed without a traceback."""


class AlreadyRunningError(CliError):
    """There is an embedded AWS in the folder already, which is not ours to stop."""
