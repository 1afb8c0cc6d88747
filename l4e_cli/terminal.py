"""Output for the user: plain lines, with colour and progress bars on a terminal only."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Task(Protocol):
    """A running step."""

    def update(
        self, *, done: float | None = None, total: float | None = None, text: str | None = None
    ) -> None:
        """Show how much is done, of how much, and a text."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Standard output, and standard error for errors."""

    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True, stderr=True))

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Write a line as it is."""
        self.out.print(text, style=style, markup=False)

    def heading(self, text: str) -> None:
        """Write a line that starts a section."""
        self.out.print(f"\n{text}", style="bold", markup=False)

    def done(self, text: str, *, seconds: float | None = None) -> None:
        """Write that a step succeeded."""
        took = "" if seconds is None else f"  ({seconds:.0f} s)"
        self.out.print("[green]✓[/green]", end=" ")
        self.out.print(text + took, markup=False)

    def error(self, text: str) -> None:
        """Write an error to standard error."""
        self.err.print("[red]error:[/red]", end=" ")
        self.err.print(text, markup=False)

    @contextlib.contextmanager
    def step(self, at_work: str, *, done: str) -> Iterator[Task]:
        """Show `at_work` with a progress bar while the body runs, then `done` with the time that it took."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=self.out, transient=True, disable=not self.out.is_terminal
        ) as progress:
            yield _Step(progress, progress.add_task(at_work, total=None, state=""))
        self.done(done, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Step:
    progress: Progress
    task: TaskID

    def update(
        self, *, done: float | None = None, total: float | None = None, text: str | None = None
    ) -> None:
        self.progress.update(self.task, completed=done, total=total)
        if text is not None:
            self.progress.update(self.task, state=text)
