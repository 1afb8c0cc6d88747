"""A machine whose model is trained again at fixed dates, as a retraining scheduler does.

Each version is in use until a later one takes over, and starts without a state, as a version that has just
been activated. A training that refuses leaves the version in use as it is. The model has no evaluation
window, so that every version that was trained takes over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.datasets import Case
from engine import Detector, EventRules, Interval, Scores, UnconfirmedChange, fit, join_batches, ranges

DAY = np.timedelta64(24 * 3600 * 10**6, "us")
Answers = Literal["none", "faults", "all"]
ANSWERS: tuple[Answers, ...] = ("none", "faults", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a model is trained again, and what its owner says before.

    Attributes:
        days: from one training to the next.
        lookback: days of data that it uses, at most.
        answers: `faults` labels each fault once it is repaired, `all` also calls events away from faults
            normal, `none` says nothing.

    """

    days: int
    lookback: int
    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the versions in use said of the evaluation rows of a case, and how many trainings were refused."""

    scores: Scores
    trainings: int
    refused: int


def trained_again(case: Case, first: Detector, schedule: Schedule) -> History:
    """Return what inference says of the evaluation rows of a case.

    Args:
        case: the machine.
        first: the version trained on its training rows.
        schedule: when it is trained again.

    """
    per_day = int(DAY / case.frame.step)
    rows, every = len(case.frame.times), schedule.days * per_day
    detector, state, batches, normal, refused = first, None, list[Scores](), list[Interval](), 0
    starts = range(case.train, rows, every)
    for at, start in enumerate(starts):
        if at:
            window = case.part(max(0, start - schedule.lookback * per_day), start)
            now = window.times[-1]
            faults = [label for label in case.labels if label[1] <= now and schedule.answers != "none"]
            confirmed = normal if schedule.answers == "all" else []
            try:
                detector, state = fit(window, labels=faults, confirmed=confirmed, prior=detector), None
            except UnconfirmedChange:
                refused += 1
        part = case.part(start, start + every)
        scores = detector.score(part, state=state)
        state = scores.state
        batches.append(scores)
        normal.extend(_false_events(case, scores))
    return History(
        scores=join_batches(batches, case.part(case.train, None)),
        trainings=len(starts) - 1,
        refused=refused,
    )


def _false_events(case: Case, scores: Scores) -> Iterator[Interval]:
    """Yield the times of the events that touch no fault."""
    step = case.frame.step
    for event in EventRules.for_reports(step).apply(ranges(scores, step=step)):
        if not any(event.start <= end and event.end >= start for start, end in case.labels):
            yield event.start, event.end
