"""Run `l4e prepare`."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from l4e_cli import words
from l4e_cli.errors import CliError
from l4e_cli.prepare.check import check_output
from l4e_cli.prepare.decision import Answers, UndecidedExport, UnfitExport
from l4e_cli.prepare.files import (
    Export,
    deeper_files,
    earlier_results,
    find_exports,
    label_files,
    report_files,
)
from l4e_cli.prepare.report import Prepared, show, write_names, write_report
from l4e_cli.prepare.survey import survey
from l4e_cli.prepare.write import write
from l4e_cli.terminal import Task, Terminal
from l4e_cli.whole_file import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Arguments of `l4e prepare`.

    Attributes:
        source: A file, or a folder of files.
        target: The folder to write to.
        answers: What the user decided beforehand.
        component: Name of the component of a single file.
    """

    source: Path
    target: Path
    answers: Answers
    component: str | None = None


def prepare(terminal: Terminal, options: Options) -> list[Prepared]:
    """Turn an export into files that the service takes, and return what became of each file.

    The files go to one folder per component below the target, which is then a prefix to ingest. Beside the
    target go a report of all decisions and a file of all names. Nothing is left of a file that failed.

    Raises:
        CliError: When a file cannot be used or decided; the others are written nevertheless.
    """
    exports = find_exports(options.source, options.target, component=options.component)
    for folder in earlier_results(options.source, options.target):
        report, names = report_files(folder)
        terminal.line(
            f"{folder} left out, with {report.name} and {names.name} beside it: `l4e prepare` wrote them. If "
            "they are data, rename them"
        )
    prepared, failed = [], []
    for export in exports:
        terminal.heading(str(export.source))
        try:
            made = prepare_file(terminal, export, options.target, options.answers)
        except (UndecidedExport, UnfitExport) as error:
            failed.append(export)
            lines = "\n".join(f"{export.source}: {line}" for line in str(error).splitlines())
            terminal.error(lines)
            continue
        show(terminal, made)
        prepared.append(made)
    if prepared:
        _write_reports(terminal, options.target, prepared)
        for file in label_files(options.source, options.target):
            terminal.line(
                f"{file} is left as it is. Its times must be in UTC, as those of the prepared files are, or "
                f"have an offset. Check it with: l4e validate {options.target} --labels {file}"
            )
    deeper = deeper_files(options.source, options.target)
    if deeper:
        terminal.line(
            f"{words.count(len(deeper), 'file')} in deeper folders left out, such as {deeper[0]}: a folder "
            "holds files, and folders with the files of a component each"
        )
    if failed:
        raise CliError(f"{len(failed)} of {len(exports)} files were not prepared: {_some(failed)}")
    return prepared


def prepare_file(terminal: Terminal, export: Export, target: Path, answers: Answers) -> Prepared:
    """Turn one file into one that the service takes.

    Raises:
        UnfitExport: When it cannot be used.
        UndecidedExport: When it can be read in several ways.
    """
    output = export.output(target)
    with _reading(export.source):
        with terminal.step("looking at all rows", done="all rows looked at") as task:
            plan = survey(export.source, answers, progress=_counter(task))
        with _folders(output.parent, target), whole_file(output) as partial:
            with terminal.step("writing", done=f"{output} written") as task:
                written = write(plan, partial, answers, progress=_counter(task))
            with terminal.step("reading it as the service does", done="read as the service does"):
                checked = check_output(partial, written)
    return Prepared(
        source=export.source,
        target=output,
        component=export.component,
        rows=written.rows,
        names=written.names,
        decisions=(*plan.decisions, *written.decisions, checked),
    )


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnfitExport(f"{source} cannot be read, or the result written: {error}") from error


@contextlib.contextmanager
def _folders(*folders: Path) -> Iterator[None]:
    """Make folders, and remove those that are empty afterwards."""
    folders[0].mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _counter(task: Task) -> "_Counter":
    return _Counter(task)


@dataclass(frozen=True, slots=True)
class _Counter:
    task: Task

    def __call__(self, rows: int) -> None:
        self.task.update(text=f"{rows:,} rows")


def _write_reports(terminal: Terminal, target: Path, prepared: Sequence[Prepared]) -> None:
    report, names = report_files(target)
    write_report(report, prepared)
    write_names(names, prepared)
    rows = sum(file.rows for file in prepared)
    terminal.line(f"\n{rows:,} rows in {target}; decisions in {report}, names in {names}")
    terminal.line(f"Upload them with: aws s3 cp --recursive {target} s3://BUCKET/PREFIX/")


def _some(exports: Sequence[Export]) -> str:
    shown = ", ".join(str(export.source) for export in exports[:3])
    return shown + (" ..." if len(exports) > 3 else "")
