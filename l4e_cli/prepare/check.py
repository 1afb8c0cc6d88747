"""Read what was written once more, with the service's own reader."""

import io
from pathlib import Path

from l4e_cli.prepare.decision import Decision, UnfitExport
from l4e_cli.prepare.write import Written
from l4e_cli.reader import UnusableFile, convert_file


class _Nowhere(io.RawIOBase):
    """A file that keeps nothing of what is written to it."""

    def __init__(self) -> None:
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self._at += (size := memoryview(data).nbytes)  # type: ignore[arg-type]
        return size

    def tell(self) -> int:
        return self._at


def check_output(path: Path, written: Written) -> Decision:
    """Return what the service reads from a file, when that is what was written.

    Raises:
        UnfitExport: When the service reads it otherwise.
    """
    try:
        report = convert_file(lambda: path.open("rb"), _Nowhere(), columns=None)  # type: ignore[arg-type]
    except UnusableFile as error:
        raise UnfitExport(f"the service does not take what was written: {error}") from error
    names = tuple(name for _, name in written.names)
    values = tuple(report.rows - report.missing[name] - report.invalid[name] for name in report.columns)
    found = (report.rows, report.columns, values, report.repairs)
    if found != (written.rows, names, written.values, ()):
        raise UnfitExport(
            f"the service reads {report.rows:,} rows and {sum(values):,} values, but {written.rows:,} rows "
            "and "
            f"{sum(written.values):,} values were written: please report this as a bug"
        )
    return Decision(
        what="read by the service",
        value=f"{report.rows:,} rows, {sum(values):,} values of {len(names)} sensors",
        evidence="the service's own reader finds every row and every value that was written",
        count=report.rows,
        example=f"{report.start} to {report.end}",
    )
