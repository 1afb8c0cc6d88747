"""What the slow channel carries from window to window, and its arrays in the state of scoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite
from engine.detect.time_bins import Sums

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_TIMES = ("settled", "last_bin", "rested")
_SUMS = ("bins", "rows", "values", "counts")
_MOST_BINS = 2**53


@dataclass(slots=True, kw_only=True)
class SlowState:
    """Where the slow channel stands; changed in place, bin by bin.

    Attributes:
        sums: sums of the unfinished bin.
        outside: for how many rows each sensor has been far outside, shape (sensors,), negative below.
        smooth: exponential mean of the values, shape (sensors,); NaN where there is none.
        average: exponential mean of the residuals, shape (sensors,).
        place: exponential mean of the confirmed states on the axes, shape (axes,).
        shares: share of each sensor in the newest ratio, shape (sensors,).
        ratios: the newest ratios.
        ratio: what rows of the unfinished bin have.
        open: whether an alarm is open.
        spell: bins below the limit since the last one above, while an alarm is open.
        evidence: how much of a sign they are that the fault has ended, in bins.
        points: operating points of the newest bins, shape (bins, axes).
        above: which of them were above the limit, shape (bins,).
        strengths: how far each lay along its average, over the root of the limit of bins, shape (bins,).
        settled: complete bins since the last break; None before the first.
        last_bin: number of the last finished bin; None before the first.
        rested: when the machine was last off, in microseconds; None if never.

    """

    sums: Sums
    outside: Floats
    smooth: Floats
    average: Floats
    place: Floats
    shares: Floats
    points: Floats
    above: Mask
    strengths: Floats
    ratios: list[float] = field(default_factory=list)
    ratio: float = 0.0
    open: bool = False
    spell: int = 0
    evidence: float = 0.0
    settled: int | None = None
    last_bin: int | None = None
    rested: int | None = None

    @classmethod
    def start(cls, shape: tuple[int, int], axes: int) -> Self:
        """Return the state before the first row.

        Args:
            shape: number of hinges and of sensors.
            axes: number of axes of operating points.

        """
        return cls(
            sums=Sums.empty(shape),
            outside=np.zeros(shape[1]),
            smooth=np.full(shape[1], np.nan),
            average=np.zeros(shape[1]),
            place=np.zeros(axes),
            shares=np.zeros(shape[1]),
            points=np.zeros((0, axes)),
            above=np.zeros(0, bool),
            strengths=np.zeros(0),
        )

    def to_meta(self) -> dict[str, Any]:
        """Return what is not an array, as a JSON document."""
        numbers = {name: getattr(self, name) for name in _TIMES}
        alarm = {"ratio": self.ratio, "open": self.open, "spell": self.spell, "evidence": self.evidence}
        return numbers | alarm

    def to_arrays(self) -> Arrays:
        """Return the arrays by name."""
        arrays: Arrays = {f"slow {name}": getattr(self.sums, name) for name in _SUMS}
        known = np.isfinite(self.smooth)
        return arrays | {
            "slow outside": self.outside,
            "slow smooth": np.where(known, self.smooth, 0),
            "slow known": known,
            "slow average": self.average,
            "slow place": self.place,
            "slow shares": self.shares,
            "slow ratios": np.array(self.ratios, np.float64),
            "slow points": self.points,
            "slow above": self.above,
            "slow strengths": self.strengths,
        }

    @classmethod
    def read(cls, meta: Mapping[str, Any], arrays: Arrays, shape: tuple[int, int], axes: int) -> Self:
        """Read what `to_meta` and `to_arrays` gave.

        States of older releases remember no points, or only whether bins there were above the limit, no
        place, and no sensor outside.

        Raises:
            BadArtefact: when they are malformed, or belong to another channel.

        """
        none = {"slow points": np.zeros((0, axes)), "slow above": np.zeros(0, bool)}
        arrays = {**none, "slow place": np.zeros(axes), "slow outside": np.zeros(shape[1]), **arrays}
        arrays = {"slow strengths": arrays["slow above"].astype(np.float64), **arrays}
        bins, ratios = len(arrays.get("slow bins", ())), len(arrays.get("slow ratios", ()))
        points = len(arrays["slow points"])
        hinges, sensors = shape
        expected = {
            "slow bins": ("i8", (bins,)),
            "slow rows": ("f8", (bins,)),
            "slow values": ("f8", (bins, 1 + hinges, sensors)),
            "slow counts": ("f8", (bins, sensors)),
            "slow outside": ("f8", (sensors,)),
            "slow smooth": ("f8", (sensors,)),
            "slow known": ("b1", (sensors,)),
            "slow average": ("f8", (sensors,)),
            "slow place": ("f8", (axes,)),
            "slow shares": ("f8", (sensors,)),
            "slow ratios": ("f8", (ratios,)),
            "slow points": ("f8", (points, axes)),
            "slow above": ("b1", (points,)),
            "slow strengths": ("f8", (points,)),
        }
        check_arrays(arrays, expected)
        check_finite(*(arrays[name] for name in expected))
        settled, last_bin, rested = (None if meta[name] is None else int(meta[name]) for name in _TIMES)
        ratio, spell, evidence = float(meta["ratio"]), int(meta["spell"]), float(meta.get("evidence", 0))
        if not (0 <= ratio < np.inf and 0 <= spell < _MOST_BINS and 0 <= evidence < _MOST_BINS):
            raise BadArtefact(
                f"the state is malformed: its slow alarm stands at {ratio}, {spell}, {evidence}"
            )
        return cls(
            sums=Sums(**{name: arrays[f"slow {name}"] for name in _SUMS}),
            outside=arrays["slow outside"].copy(),
            smooth=np.where(arrays["slow known"], arrays["slow smooth"], np.nan),
            average=arrays["slow average"],
            place=arrays["slow place"],
            shares=arrays["slow shares"],
            points=arrays["slow points"],
            above=arrays["slow above"],
            strengths=arrays["slow strengths"],
            ratios=arrays["slow ratios"].tolist(),
            ratio=ratio,
            open=bool(meta["open"]),
            spell=spell,
            evidence=evidence,
            settled=settled,
            last_bin=last_bin,
            rested=rested,
        )
