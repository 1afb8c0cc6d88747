"""Errors that are shown to the user."""


class CliError(Exception):
    """An error that the user can act on. Its message is printed without a traceback."""


class AlreadyRunningError(CliError):
    """An embedded AWS runs in the folder already; the command that raises this must not stop it."""
