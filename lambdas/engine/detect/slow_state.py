"""What the slow channel carries from window to window, and its arrays in the state of scoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite
from engine.detect.time_bins import Sums

Floats = NDArray[np.float64]

_TIMES = ("settled", "last_bin", "rested")
_SUMS = ("bins", "rows", "values", "counts")
_MOST_BINS = 2**53


@dataclass(slots=True, kw_only=True)
class SlowState:
    """Where the slow channel stands; changed in place, bin by bin.

    Attributes:
        sums: sums of the unfinished bin.
        smooth: exponential mean of the values, shape (sensors,); NaN where there is none.
        average: exponential mean of the residuals, shape (sensors,).
        shares: share of each sensor in the newest ratio, shape (sensors,).
        ratios: the newest ratios.
        ratio: what rows of the unfinished bin have.
        open: whether an alarm is open.
        spell: bins below the limit since an alarm was open.
        longest: the longest of those that an alarm came back after; it fades.
        settled: complete bins since the last break; None before the first.
        last_bin: number of the last finished bin; None before the first.
        rested: when the machine was last off, in microseconds; None if never.

    """

    sums: Sums
    smooth: Floats
    average: Floats
    shares: Floats
    ratios: list[float] = field(default_factory=list)
    ratio: float = 0.0
    open: bool = False
    spell: int = 0
    longest: float = 0.0
    settled: int | None = None
    last_bin: int | None = None
    rested: int | None = None

    @classmethod
    def start(cls, shape: tuple[int, int]) -> Self:
        """Return the state before the first row, for so many hinges and sensors."""
        return cls(
            sums=Sums.empty(shape),
            smooth=np.full(shape[1], np.nan),
            average=np.zeros(shape[1]),
            shares=np.zeros(shape[1]),
        )

    def to_meta(self) -> dict[str, Any]:
        """Return what is not an array, as a JSON document."""
        numbers = {name: getattr(self, name) for name in _TIMES}
        alarm = {"ratio": self.ratio, "open": self.open, "spell": self.spell, "longest": self.longest}
        return numbers | alarm

    def to_arrays(self) -> Arrays:
        """Return the arrays by name."""
        arrays: Arrays = {f"slow {name}": getattr(self.sums, name) for name in _SUMS}
        known = np.isfinite(self.smooth)
        return arrays | {
            "slow smooth": np.where(known, self.smooth, 0),
            "slow known": known,
            "slow average": self.average,
            "slow shares": self.shares,
            "slow ratios": np.array(self.ratios, np.float64),
        }

    @classmethod
    def read(cls, meta: Mapping[str, Any], arrays: Arrays, shape: tuple[int, int]) -> Self:
        """Read what `to_meta` and `to_arrays` gave.

        Raises:
            BadArtefact: when they are malformed, or belong to another channel.

        """
        bins, ratios = len(arrays.get("slow bins", ())), len(arrays.get("slow ratios", ()))
        hinges, sensors = shape
        expected = {
            "slow bins": ("i8", (bins,)),
            "slow rows": ("f8", (bins,)),
            "slow values": ("f8", (bins, 1 + hinges, sensors)),
            "slow counts": ("f8", (bins, sensors)),
            "slow smooth": ("f8", (sensors,)),
            "slow known": ("b1", (sensors,)),
            "slow average": ("f8", (sensors,)),
            "slow shares": ("f8", (sensors,)),
            "slow ratios": ("f8", (ratios,)),
        }
        check_arrays(arrays, expected)
        check_finite(*(arrays[name] for name in expected))
        settled, last_bin, rested = (None if meta[name] is None else int(meta[name]) for name in _TIMES)
        ratio, spell, longest = float(meta["ratio"]), int(meta["spell"]), float(meta["longest"])
        if not (0 <= ratio < np.inf and 0 <= spell < _MOST_BINS and 0 <= longest < _MOST_BINS):
            raise BadArtefact(f"the state is malformed: its slow alarm stands at {ratio}, {spell}, {longest}")
        return cls(
            sums=Sums(**{name: arrays[f"slow {name}"] for name in _SUMS}),
            smooth=np.where(arrays["slow known"], arrays["slow smooth"], np.nan),
            average=arrays["slow average"],
            shares=arrays["slow shares"],
            ratios=arrays["slow ratios"].tolist(),
            ratio=ratio,
            open=bool(meta["open"]),
            spell=spell,
            longest=longest,
            settled=settled,
            last_bin=last_bin,
            rested=rested,
        )
