"""Files that are there as a whole or not at all, whatever ends a command while it writes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a hidden file beside `path` to write to, which takes its place at the end of the block.

    Its name ends as `path` does, and holds the id of the process: another one may be writing the same. After
    an error nothing is left of it, and what `path` held before is untouched.
    """
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
