"""The `l4e` command: an embedded AWS on this machine, with the service and an app deployed to it."""

import sys


def main() -> None:
    """Entry point of the `l4e` command."""
    try:
        from constructs_l4e.cli.main import run  # noqa: PLC0415 - the extra may be missing: say so, below
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("constructs_l4e"):
            raise
        sys.exit(f"l4e needs {error.name}, which is part of the extra: pip install 'constructs-l4e[local]'")
    sys.exit(run())
