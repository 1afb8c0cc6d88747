"""Change that a training learned although nobody has confirmed that the machine is to run like that."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from engine.detect.artefact import BadArtefact
from engine.frame.frame import SensorId


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedChange:
    """Rows that a retraining learned, and on which the detector before alarmed, or no longer counted a level.

    Attributes:
        share: of the rows that were to be learned.
        sensor: the one that moved most on the longest stretch of such rows.
        first, last: first and last row of that stretch.

    """

    share: float
    sensor: SensorId
    first: np.datetime64
    last: np.datetime64

    def to_meta(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        first, last = (
            int(each.astype("datetime64[us]").astype(np.int64)) for each in (self.first, self.last)
        )
        return {"share": self.share, "sensor": self.sensor, "first": first, "last": last}

    @classmethod
    def read(cls, meta: dict[str, Any]) -> Self:
        """Read what `to_meta` gave.

        Raises:
            BadArtefact: when it is malformed.

        """
        share, sensor = float(meta["share"]), str(meta["sensor"])
        first, last = (np.datetime64(int(meta[each]), "us") for each in ("first", "last"))
        if not (0 < share <= 1 and first <= last):
            raise BadArtefact(
                f"the detector is malformed: learned change on {share} of the rows, from {first} to {last}"
            )
        return cls(share=share, sensor=sensor, first=first, last=last)
