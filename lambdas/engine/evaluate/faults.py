"""Faults while rows are still to come: the events of reports, as far as they are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from engine.evaluate.evaluation import Range
from engine.evaluate.events import EventRules

_SECOND = np.timedelta64(1, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """How far a sensor was from what the others predict.

    Attributes:
        sensor: its position.
        by: observed minus predicted, in its unit.

    """

    sensor: int
    by: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fault:
    """One fault so far.

    Attributes:
        event: from its first sign to its latest anomalous row.
        parts: number of parts that it was told of in, as `Faults.followed` was given them.
        first: departure of the sensor that led when the fault began to count; None if it is not known.

    """

    event: Range
    parts: int
    first: Departure | None = None

    def includes(self, time: np.datetime64) -> bool:
        """Return whether a time lies in the fault."""
        return bool(self.event.start <= time <= self.event.end)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Faults:
    """The faults that may still go on, by the rules of reports.

    A fault that is known to go on stays one, whatever follows. Two may become one later, when one of them has
    lasted long enough to bridge the pause between them.

    Attributes:
        sensors: the sensors whose shares events have.
        step: time between rows.
        known: in order of time. The last one may be too short to count yet.

    """

    sensors: tuple[str, ...]
    step: np.timedelta64
    known: tuple[Fault, ...] = ()

    def followed(self, ranges: Sequence[Range], *, parts: Sequence[np.datetime64] = ()) -> Self:
        """Return the faults after further ranges.

        Args:
            ranges: those of rows after all that are known, in order of time.
            parts: times in further parts that are to be counted, one in each.

        """
        rules = self._rules
        events = rules.so_far([*(each.event for each in self.known), *ranges])
        if not events:
            return self
        # what ended earlier is out of reach of the last one, and of all that follow
        reach = events[-1].start - rules.longest_pause
        known = tuple(self._fault(event, parts) for event in events if event.end >= reach)
        return replace(self, known=known)

    def until(self, time: np.datetime64) -> Self:
        """Return the faults without those that have ended for good: no row after `time` belongs to them."""
        reach = time - self._rules.longest_pause
        return replace(self, known=tuple(each for each in self.known if each.event.end >= reach))

    def _fault(self, event: Range, parts: Sequence[np.datetime64]) -> Fault:
        now = Fault(event=event, parts=0)
        earlier = [each for each in self.known if now.includes(each.event.start)]
        return replace(
            now,
            parts=sum(each.parts for each in earlier) + sum(map(now.includes, parts)),
            first=next((each.first for each in earlier if each.first is not None), None),
        )

    @property
    def counted(self) -> tuple[Fault, ...]:
        """Those that are long enough to count as a fault."""
        return tuple(each for each in self.known if self._rules.counts(each.event))

    def at(self, time: np.datetime64) -> Fault | None:
        """Return the fault that counts and includes a time, None without one."""
        return next((each for each in self.counted if each.includes(time)), None)

    def began_since(self, before: "Faults") -> tuple[Fault, ...]:
        """Return the faults that count and are none of those that counted before."""
        starts = [each.event.start for each in before.counted]
        return tuple(each for each in self.counted if not any(map(each.includes, starts)))

    def ended_since(self, before: "Faults") -> tuple[Fault, ...]:
        """Return the faults that counted before and are none of these any more, as they were."""
        return tuple(
            each
            for each in before.counted
            if before.sensors != self.sensors
            or not any(fault.includes(each.event.start) for fault in self.known)
        )

    def with_first(self, fault: Fault, first: Departure | None) -> Self:
        """Return the faults with the departure with which one of them began to count."""
        return replace(
            self, known=tuple(replace(each, first=first) if each is fault else each for each in self.known)
        )

    @property
    def _rules(self) -> EventRules:
        return EventRules.for_reports(self.step)

    def to_json(self) -> dict[str, Any]:
        """Return the faults as JSON members."""
        return {
            "sensors": list(self.sensors),
            "step": int(self.step / _SECOND),
            "known": [
                {
                    "start": str(each.event.start),
                    "end": str(each.event.end),
                    "rows": each.event.rows,
                    "shares": each.event.contributions.tolist(),
                    "parts": each.parts,
                    "first": None if each.first is None else [each.first.sensor, each.first.by],
                }
                for each in self.known
            ],
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Return the faults that `to_json` wrote."""
        return cls(
            sensors=tuple(members["sensors"]),
            step=np.timedelta64(members["step"], "s"),
            known=tuple(_fault_from(each) for each in members["known"]),
        )


def _fault_from(members: Mapping[str, Any]) -> Fault:
    first = members["first"]
    return Fault(
        event=Range(
            start=np.datetime64(members["start"], "us"),
            end=np.datetime64(members["end"], "us"),
            contributions=np.array(members["shares"], np.float32),
            rows=members["rows"],
        ),
        parts=members["parts"],
        first=None if first is None else Departure(sensor=first[0], by=first[1]),
    )
