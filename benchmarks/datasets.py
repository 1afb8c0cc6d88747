"""Labelled series the engine is measured on. They are read where they lie and never copied."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray

from engine import Frame, Interval
from service.members.off_rule import OffRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One series: frame, labels, number of training rows; root sensors and sizes per label where known.

    The size of a fault is how far it moves the sensor that it moves most, in spreads of healthy training, on
    average over its last two fifths.
    """

    name: str
    group: str
    frame: Frame
    labels: tuple[Interval, ...]
    train: int
    roots: tuple[tuple[str, ...], ...] = ()
    sizes: tuple[float, ...] = ()

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


def simulated(
    family: str,
    seed: int,
    values: NDArray[np.float64],
    spans: list[tuple[int, int]],
    roots: list[tuple[int, ...]],
    *,
    train: int,
    step: int = 60,
) -> Case:
    """Return the case of a simulated plant that is always on, a row in `step` seconds.

    `spans` are the first and last rows of its faults, `roots` the columns each of them began in.
    """
    rows, sensors = values.shape
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(step, "s")
    names = tuple(f"s{at}" for at in range(sensors))
    return Case(
        name=f"{family} {seed}",
        group=f"own: {family}",
        frame=Frame(
            times=times,
            values=values,
            sensors=names,
            off=np.zeros(rows, bool),
            step=np.timedelta64(step, "s"),
        ),
        labels=tuple((times[start], times[end]) for start, end in spans),
        train=train,
        roots=tuple(tuple(names[at] for at in root) for root in roots),
    )


def shared_cases(root: Path) -> list[Case]:
    """Return all labelled series below the directory, sorted by path.

    A series is a folder of three files: `data.csv.gz` (a time and one column per sensor, empty cells where
    a value is missing), `labels.csv` (start and end of a fault a line, both inclusive) and `meta.json`,
    which says where training ends (`train_rows` or `train_end`) and, if ever, when the machine is off
    (`off_condition`). Series of one group lie in one folder, or differ by a number behind their name
    (`pump_11`). Folders without faults, or without an end of training, are left out.

    Raises:
        SystemExit: there is no such series.

    """
    folders = sorted(each.parent for each in root.rglob("meta.json"))
    found = [case for folder in folders if (case := _load(folder, _group(root, folder)))]
    if not found:
        raise SystemExit(
            f"no labelled series in {root}: its folders must hold data.csv.gz, labels.csv and meta.json"
        )
    return found


def _group(root: Path, folder: Path) -> str:
    return re.sub(r"_\d+\Z", "", folder.relative_to(root).parts[0] if folder != root else folder.name)


def _load(folder: Path, group: str) -> Case | None:
    meta = json.loads((folder / "meta.json").read_text())
    labels = _labels(folder / "labels.csv")
    if not labels or not {"train_rows", "train_end"} & meta.keys():
        return None
    table = pyarrow.csv.read_csv(folder / "data.csv.gz")
    times = table.column(0).to_numpy().astype("datetime64[us]")
    names = tuple(table.column_names[1:])
    values = np.stack([table[name].to_numpy().astype(float) for name in names], axis=1)
    off = np.zeros(len(times), bool)
    if rule := meta.get("off_condition"):
        condition = OffRule.parse(rule).resolved(names)
        sensor = values[:, names.index(condition.sensor)]
        off = sensor < condition.threshold if condition.operator == "<" else sensor > condition.threshold
    causes = folder / "events_root_cause.json"
    roots = tuple(tuple(each["root"]) for each in json.loads(causes.read_text())) if causes.exists() else ()
    train = meta.get("train_rows") or int((times <= _time(meta["train_end"])).sum())
    frame = Frame(times=times, values=values, sensors=names, off=off, step=np.median(np.diff(times)))
    return Case(name=folder.name, group=group, frame=frame, labels=labels, train=train, roots=roots)


def _labels(file: Path) -> tuple[Interval, ...]:
    lines = file.read_text().split("\n") if file.exists() else []
    return tuple(
        (_time(start), _time(end)) for start, end in (line.split(",") for line in lines if line.strip())
    )


def _time(text: str) -> np.datetime64:
    return np.datetime64(text.strip().replace(" ", "T"), "us")
