"""Entry point of the `l4e` command, also as `python -m l4e_cli`."""

import io
import os
import signal
import sys
from contextlib import suppress

from l4e_cli.interrupts import KILLED_BY


def main() -> None:
    """Run the command that the process was started with, and exit with its status.

    One that was interrupted has cleaned up, and ends at once: threads of pyarrow may still be at work, and to
    take the interpreter from under them can abort the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not every encoding has a check mark
            stream.reconfigure(errors="replace")
    try:
        from l4e_cli.main import run  # noqa: PLC0415 - it takes long enough to be interrupted

        status = run()
    except KeyboardInterrupt:  # while that was imported: `run` tells of any other
        sys.stderr.write("error: interrupted\n")
        status = KILLED_BY + signal.SIGINT
    except ModuleNotFoundError as error:  # a command imports what it needs, and the extra may be missing
        if (error.name or "").startswith(("l4e_", "constructs_l4e")):
            raise
        sys.exit(f"l4e needs {error.name}, which is part of the extra: pip install 'constructs-l4e[local]'")
    if status > KILLED_BY:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # the reader of our output went away
                stream.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
