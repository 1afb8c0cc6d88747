"""The public series the engine is measured on. They are read where they lie and never copied."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray

from engine import Frame, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One series: frame, labels, number of training rows, and root sensors per label where known."""

    name: str
    group: str
    frame: Frame
    labels: tuple[Interval, ...]
    train: int
    roots: tuple[tuple[str, ...], ...] = ()

    def part(self, start: int, stop: int | None) -> Frame:
        """Return some rows of the frame."""
        whole = self.frame
        rows = slice(start, stop)
        return Frame(
            times=whole.times[rows],
            values=whole.values[rows],
            sensors=whole.sensors,
            off=whole.off[rows],
            step=whole.step,
        )

    def training_labels(self) -> list[Interval]:
        """Return the labels that begin in the training rows."""
        return [label for label in self.labels if label[0] <= self.frame.times[self.train - 1]]

    def truth(self) -> NDArray[np.bool_]:
        """Mark the evaluation rows inside a label."""
        times = self.frame.times[self.train :]
        mask = np.zeros(len(times), bool)
        for start, end in self.labels:
            mask |= (times >= start) & (times <= end)
        return mask


def shared_cases(root: Path) -> list[Case]:
    """Return all series below the data directory.

    Raises:
        SystemExit: there is no such directory.

    """
    if not (root / "synthpump_11").is_dir():
        raise SystemExit(
            f"no benchmark data in {root}: name the directory that holds skab/, tep/, synthpump_11/ ..."
        )
    found = [_load(each, "skab", step=1) for each in sorted(root.glob("skab/valve*"))]
    found += [_load(each, "tep", step=180) for each in sorted(root.glob("tep/fault*"))]
    found.append(_load(root / "nab_machine_temperature", "nab", step=300))
    found.append(_load(root / "synthpump_11", "synthpump", step=300, off=("Speed", 150.0)))
    return found


def _load(folder: Path, group: str, *, step: int, off: tuple[str, float] | None = None) -> Case:
    meta = json.loads((folder / "meta.json").read_text())
    table = pyarrow.csv.read_csv(folder / "data.csv.gz")
    times = table.column(0).to_numpy().astype("datetime64[us]")
    names = table.column_names[1:]
    values = np.stack([table[name].to_numpy().astype(float) for name in names], axis=1)
    lines = (folder / "labels.csv").read_text().split()
    labels = tuple((_time(start), _time(end)) for start, end in (line.split(",") for line in lines))
    is_off = values[:, names.index(off[0])] < off[1] if off else np.zeros(len(times), bool)
    causes = folder / "events_root_cause.json"
    roots = tuple(tuple(each["root"]) for each in json.loads(causes.read_text())) if causes.exists() else ()
    train = meta.get("train_rows") or int((times <= _time(meta["train_end"])).sum())
    frame = Frame(
        times=times, values=values, sensors=tuple(names), off=is_off, step=np.timedelta64(step, "s")
    )
    return Case(name=folder.name, group=group, frame=frame, labels=labels, train=train, roots=roots)


def _time(text: str) -> np.datetime64:
    return np.datetime64(text.replace(" ", "T"), "us")
