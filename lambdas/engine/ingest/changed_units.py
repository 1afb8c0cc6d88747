"""Recognise a sensor whose values are in another unit from one file on, or in some files between others.

A machine that is changed moves levels, too. So a unit is told only where the values of the files are in two
ranges apart, which a usual conversion makes alike, and where no other sensor moves otherwise there.
"""

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.ingest.conversions import CONVERSIONS, Conversion
from engine.ingest.file_levels import Levels, alike, levels_of_columns
from engine.ingest.file_report import FileReport

Floats = NDArray[np.float64]

_LIKELY = [each for each in CONVERSIONS if each.offset or math.log10(each.factor).is_integer()]
"""Powers of ten, and units of temperature: others lie so close that a change of the machine fits one."""
_MOST_CHANGES = 2
"""Changes between the two ranges: to another unit, and back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedUnit:
    """A sensor that is in another unit in some files.

    Attributes:
        sensor: Its name.
        file: Place of the first file of the other unit.
        files: How many files are in the other unit.
        before: Between which values it mostly is in the file before.
        then: Between which values it mostly is in that file.
        conversion: What makes those of those before.
    """

    sensor: str
    file: int
    files: int
    before: tuple[float, float]
    then: tuple[float, float]
    conversion: Conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A boundary of files at which a sensor is in another range than before.

    Attributes:
        start: Start of the file behind it: other sensors may have files of their own.
        found: What is told of it, if a conversion explains it.
    """

    start: str
    found: ChangedUnit | None


def changed_units(reports: Sequence[FileReport], sensors: Container[str]) -> list[ChangedUnit]:
    """Return the sensors of a component that are in another unit in some of its files.

    Args:
        reports: The files of the component.
        sensors: The sensors to judge: none that only rises or falls, as its files are apart in any case.
    """
    ways = {
        sensor: list(_ways(sensor, files, reports))
        for sensor, files in levels_in_time(reports).items()
        if sensor in sensors
    }
    unexplained = {
        change.start
        for each in ways.values()
        for way in each
        for change in way
        if any(change.found is None for change in way)
    }
    return [
        each[0][0].found
        for each in ways.values()
        if len(each) == 1 and each[0][0].found and not unexplained & {change.start for change in each[0]}
    ]


def _ways(
    sensor: str, files: Sequence[tuple[int, Levels]], reports: Sequence[FileReport]
) -> Iterator[list[_Change]]:
    """Yield the changes of a sensor for each way in which its files are in two ranges."""
    levels = np.array([each for _, each in files])
    for upper in _two_ranges(levels):
        way = []
        for at in (np.flatnonzero(np.diff(upper)) + 1).tolist():
            (_, before), (place, then) = files[at - 1 : at + 1]
            conversion = _conversion(before, then)
            found = (
                None
                if conversion is None
                else ChangedUnit(
                    sensor=sensor,
                    file=place,
                    files=int(np.count_nonzero(upper == upper[at])),
                    before=(float(before[0]), float(before[-1])),
                    then=(float(then[0]), float(then[-1])),
                    conversion=conversion,
                )
            )
            way.append(_Change(start=reports[place].start or "", found=found))
        yield way


def levels_in_time(reports: Sequence[FileReport]) -> dict[str, list[tuple[int, Levels]]]:
    """Return place and levels of the files that tell levels of a sensor, in order of time, for each sensor.

    A sensor whose files overlap in time is left out; the last row of one may be the first of the next.

    Args:
        reports: The files of a component.
    """
    found: dict[str, list[tuple[str, str, int, Levels]]] = {}
    for place, report in enumerate(reports):
        if report.start and report.end:
            for sensor, levels in levels_of_columns(report.columns, report.levels).items():
                found.setdefault(sensor, []).append((report.start, report.end, place, levels))
    for files in found.values():
        files.sort(key=lambda file: file[0])
    return {
        sensor: [(place, levels) for _, _, place, levels in files]
        for sensor, files in found.items()
        if all(before[1] <= then[0] for before, then in pairwise(files))
    }


def _two_ranges(levels: Floats) -> Iterator[NDArray[np.bool_]]:
    """Yield which files are in the upper one of two ranges, for each way in which they are in two.

    Args:
        levels: The levels of each file, a row each, in order of time.
    """
    order = np.argsort(levels[:, 2], kind="stable")
    highest = np.maximum.accumulate(levels[order, -1])
    lowest = np.minimum.accumulate(levels[order[::-1], 0])[::-1]
    for at in np.flatnonzero(highest[:-1] < lowest[1:]) + 1:
        upper = np.isin(np.arange(len(levels)), order[at:])
        if np.count_nonzero(np.diff(upper)) <= _MOST_CHANGES:
            yield upper


def _conversion(before: Levels, then: Levels) -> Conversion | None:
    """Return what makes the levels of one file those of the next; `None` when nothing does."""
    converted = np.array([each.factor * before + each.offset for each in _LIKELY])
    return next((_LIKELY[at] for at in np.flatnonzero(alike(then, converted)).tolist()), None)
