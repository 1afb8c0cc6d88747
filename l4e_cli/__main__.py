"""Entry point of the `l4e` command, also as `python -m l4e_cli`."""

import sys


def main() -> None:
    """Run the command that the process was started with, and exit with its status."""
    try:
        from l4e_cli.main import run  # noqa: PLC0415 - the extra may be missing: say so, below
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("l4e_cli"):
            raise
        sys.exit(f"l4e needs {error.name}, which is part of the extra: pip install 'constructs-l4e[local]'")
    sys.exit(run())


if __name__ == "__main__":
    main()
