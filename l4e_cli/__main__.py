"""Entry point of the `l4e` command, also as `python -m l4e_cli`."""

import io
import sys

from l4e_cli.main import run


def main() -> None:
    """Run the command that the process was started with, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not every encoding has a check mark
            stream.reconfigure(errors="replace")
    try:
        status = run()
    except ModuleNotFoundError as error:  # a command imports what it needs, and the extra may be missing
        if (error.name or "").startswith(("l4e_", "constructs_l4e")):
            raise
        sys.exit(f"l4e needs {error.name}, which is part of the extra: pip install 'constructs-l4e[local]'")
    sys.exit(status)


if __name__ == "__main__":
    main()
