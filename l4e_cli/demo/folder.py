"""Recordings from a folder of CSV files. What the service does not take is prepared before it is read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from l4e_cli import words
from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.errors import CliError
from l4e_cli.files.labels import fault_periods, looks_like_labels, read_label_files
from l4e_cli.files.layout import DataFile, Layout, demo_layout
from l4e_cli.files.places import Folder, folder_of
from l4e_cli.files.reading import ConvertedComponent, FileOutcome, convert_components, merge
from l4e_cli.prepare.decision import Answers, UndecidedExport, UnfitExport
from l4e_cli.prepare.files import Export
from l4e_cli.prepare.report import show
from l4e_cli.prepare.run import prepare_file
from l4e_cli.terminal import Terminal
from l4e_cli.validate.file_rules import file_findings
from l4e_cli.validate.result import ComponentResult

_SHOWN = 10
"""Findings that are shown of a component."""
_NAMED = 3
"""Files without enough rows that are named."""
_ANSWERS = Answers(time_zone="UTC")
"""The service reads times that do not name their zone as UTC, and so does the demo."""


def read_folder(terminal: Terminal, folder: Path) -> Recording:
    """Read a folder of sensor files, laid out as `demo_layout` says.

    A file that the service would refuse goes through `l4e prepare`, and its decisions are shown.

    Raises:
        CliError: when a file cannot be used; the message names the file, what was found and what to change.
    """
    layout = demo_layout(folder_of(folder), exports=True)
    if not layout.components:
        raise CliError(f"no .csv or .csv.gz file in {str(folder)!r}, nor in the folders inside it")
    for name, reason in layout.ignored:
        terminal.line(f"left out: {folder / name}: {reason}")
    labels = read_label_files(layout.labels)
    for name, reason in labels.refused:
        raise CliError(f"{folder / name}: {reason}")
    for note in labels.found.notes:
        terminal.line(note)
    with TemporaryDirectory(prefix="l4e-demo-") as work:
        converted = convert_components(layout.components, Path(work))
        if any(outcome.refusal is not None for each in converted for outcome in each.outcomes):
            usable = {
                each.name: [_usable(terminal, out, each.name, folder, Path(work)) for out in each.outcomes]
                for each in converted
            }
            converted = convert_components(usable, Path(work))
        components = tuple(_recording(terminal, each, Path(work)) for each in converted)
    _require_history(components, layout, folder)
    recording = Recording(components=components)
    periods = fault_periods(labels.found)
    outside = [label for label in periods if not label.overlaps(recording.span)]
    if outside:
        terminal.line(
            f"{words.count(len(outside), 'label')} left out: outside the data, which runs from "
            f"{recording.span.start} to {recording.span.end}, such as {outside[0].start} to {outside[0].end}"
        )
    return replace(recording, labels=tuple(label for label in periods if label.overlaps(recording.span)))


def _usable(terminal: Terminal, outcome: FileOutcome, component: str, folder: Path, work: Path) -> DataFile:
    """Return a file as it is if the service takes it, else what is made of it.

    Raises:
        CliError: when nothing can be made of it, or a person has to decide.
    """
    if outcome.refusal is None:
        return outcome.file
    source = folder / outcome.file.name
    _refuse_labels(outcome.file, source)
    terminal.heading(f"{source} is prepared, since the service does not take it: {outcome.refusal}")
    try:
        made = prepare_file(terminal, Export(source=source, component=component), work, _ANSWERS)
    except UndecidedExport as error:
        raise CliError(
            f"{source} can be read in several ways. Decide with `l4e prepare {folder} TARGET`, then play "
            f"TARGET:\n{error}"
        ) from error
    except UnfitExport as error:
        raise CliError(f"{source}: {outcome.refusal}\nl4e prepare: {error}") from error
    show(terminal, made)
    name = made.target.relative_to(work).as_posix()
    return DataFile(place=Folder(work), name=name, size=made.target.stat().st_size)


def _require_history(components: Sequence[ComponentRecording], layout: Layout, folder: Path) -> None:
    """Refuse a recording of which no component has two rows: nobody knows how far apart its rows are.

    Raises:
        CliError: naming the folder and its files.
    """
    if any(len(part.times) > 1 for part in components):
        return
    names = [file.name for files in layout.components.values() for file in files]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    raise CliError(
        f"{folder}: fewer than two rows at different times in {', '.join(map(repr, names[:_NAMED]))}{more}: "
        "a demo needs a history to learn from"
    )


def _refuse_labels(file: DataFile, source: str | Path) -> None:
    if looks_like_labels(file):
        raise CliError(
            f"{source} holds labels, it seems: each line is a start and an end. Call it labels.csv, with "
            "these two columns, or put it into a folder labels"
        )


def _tell(terminal: Terminal, component: ComponentResult) -> None:
    """Say what was put right in the files of a component, and which readings were taken, as `l4e validate`.

    Raises:
        CliError: when the service would refuse them.
    """
    findings = list(file_findings(component))
    for wrong in findings:
        if wrong.severity == "error":
            for outcome in component.files:
                _refuse_labels(outcome.file, str(outcome.file))
            raise CliError(wrong.text)
    told = [found for found in findings if found.severity == "warning" or found.rule == "reading"]
    for found in told[:_SHOWN]:
        terminal.line(f"{found.where}: {found.text}")
    if len(told) > _SHOWN:
        terminal.line(f"{component.name}: and {len(told) - _SHOWN:,} more, which `l4e validate` shows")


def _recording(terminal: Terminal, converted: ConvertedComponent, work: Path) -> ComponentRecording:
    for outcome in converted.outcomes:
        if outcome.refusal is not None:
            raise CliError(f"{outcome.file.place}/{outcome.file}: {outcome.refusal}")
    path = work / f"{converted.name}.merged.parquet"
    with path.open("wb") as sink:
        report = merge(converted, sink)
    _tell(terminal, ComponentResult(name=converted.name, files=converted.outcomes, report=report))
    times, *columns = (column.to_numpy() for column in pq.read_table(path).columns)
    path.unlink()
    return ComponentRecording(
        name=converted.name,
        sensors=converted.columns,
        times=times,
        values=np.column_stack(columns).astype(np.float64),
    )
