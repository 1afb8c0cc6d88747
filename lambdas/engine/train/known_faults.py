"""Faults that the detector in use knows of in the rows its successor will learn from: for retraining.

The detector has scored these rows, or would have. What it alarmed on was a fault. What it stopped counting
was a change, and is not learned before somebody has confirmed that the plant is to run like that: by the
adaptation `follow`. Then an alarm that lasted until the level was taken over, or that is long and still goes
on when the rows end, is how the plant runs now. A level that was taken over but came back before the rows end
was a fault after all.

On a plant that is held to its training, levels that moved without an alarm are left out, too, unless that
leaves too little: the level of running hours moves all the time. There the slow channel alarms for as long
as a level is away, so what alarms is the change. On a plant that drifted in training, and is not held by
its owner, a level that moves without an alarm is that drift, and is learned.

What is learned all the same, and nobody has confirmed, is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.batches import score_in_batches
from engine.detect.detector import Detector
from engine.detect.features import LONGEST_MEMORY
from engine.detect.learned_change import LearnedChange
from engine.detect.level_events import MOVED_SHARE
from engine.frame.frame import Frame
from engine.train.cleaning import JOIN_ROWS, MAX_SHARE
from engine.train.row_runs import joined_runs, longest_stretches, with_margin

Mask = NDArray[np.bool_]

LEAST_ROWS = 12
"""Shorter alarms count as healthy: otherwise each retraining would narrow what is usual."""
LASTING_SHARE = 0.2
"""An alarm of this share of the span of the averages of levels (400 rows) that goes on when the rows end is
how the plant runs now; if a level counts as moved soon after it, the level was taken over."""
HELD = 0.5
"""Weight of the slow channel from which its alarms are faults for as long as they last."""
_PART_ROWS = 256


class UnconfirmedChange(ValueError):  # noqa: N818  named for what it says
    """Most of what a training would learn is change that nobody has confirmed."""


def without_known_faults(
    frame: Frame, normal: Mask, prior: Detector, confirmed: Mask
) -> tuple[Mask, LearnedChange | None]:
    """Return the normal rows without faults and unconfirmed change, and what of these is learned anyway.

    They are left out with a margin of 30 rows. Levels that moved are kept if they make up more than 35 % of
    the rows, but for a plant that is held and has no slow channel. If the prior's alarms alone are that many,
    and the plant is not held, it no longer knows what is usual, and all normal rows are returned.

    Args:
        frame: the training rows.
        normal: mask of the rows that may be learned, shape (rows,).
        prior: the detector in use, with the adaptation of its owner.
        confirmed: mask of the rows that people called normal, shape (rows,): they are kept.

    Raises:
        ValueError: when the prior detector has other sensors than the frame.
        UnconfirmedChange: when the plant is held to its training, and left it for more than 35 % of the rows.

    """
    known = _Known.of(frame, prior)
    rows = len(normal)
    follows = prior.adaptation == "follow"
    held = prior.adaptation == "hold" or (
        prior.slow is not None and prior.slow.weight(prior.adaptation) > HELD
    )
    faults, taken_over = np.zeros(rows, bool), np.zeros(rows, bool)
    span = prior.lag_view.average_span
    for start, stop in joined_runs(known.alarm, gap=JOIN_ROWS):
        lasting = stop - start >= LASTING_SHARE * span
        taken = lasting and known.moved[stop : stop + max(2 * _PART_ROWS, span // 4)].any()
        goes_on = lasting and stop + JOIN_ROWS >= rows
        if stop - start >= LEAST_ROWS and not (follows and (taken or goes_on)):
            faults[start:stop] = True
        taken_over[start:stop] = taken
    with_moved = faults.copy()
    for start, stop in joined_runs(known.alarm | known.moved, gap=JOIN_ROWS):
        came_back = stop < rows - _PART_ROWS
        unconfirmed = not follows and (held or taken_over[start:stop].any())
        if known.moved[start:stop].any() and (came_back or unconfirmed):
            with_moved[start:stop] = True
    choices = (with_moved,) if held and prior.slow is None else (with_moved, faults)
    kept = _without(choices, normal, confirmed, held=held)
    learned = kept & ~confirmed & (faults if follows else faults | known.moved)
    return kept, known.learned_change(frame, learned, int(normal.sum()))


def _without(choices: Sequence[Mask], normal: Mask, confirmed: Mask, *, held: bool) -> Mask:
    """Return the normal rows without the first of these masks that leaves enough of them."""
    for left_out in choices:
        kept = normal & (confirmed | ~with_margin(left_out, LONGEST_MEMORY))
        if kept.sum() >= (1 - MAX_SHARE) * normal.sum():
            return kept
    if held:
        share = (normal & left_out & ~confirmed).sum() / normal.sum()
        raise UnconfirmedChange(
            f"the model in use alarms, or levels have moved, on {share:.0%} of the rows: what nobody has "
            "confirmed is not learned"
        )
    return normal


@dataclass(frozen=True, slots=True)
class _Known:
    """What a detector says of rows.

    Attributes:
        alarm: on which it alarms.
        moved: where the level of some sensor has moved.
        leads: place of the sensor that moved most, else of the one that leads the score.

    """

    alarm: Mask
    moved: Mask
    leads: NDArray[np.int64]

    @classmethod
    def of(cls, frame: Frame, prior: Detector) -> Self:
        alarms, moves, leads = [], [], []
        for scores in score_in_batches(prior, frame, rows=_PART_ROWS):
            rows = len(scores.times)
            moved = scores.moved is not None and scores.moved.max() > MOVED_SHARE
            alarms.append(scores.prediction == 1)
            moves.append(np.full(rows, moved))
            leads.append(
                np.full(rows, scores.moved.argmax())
                if scores.moved is not None and moved
                else scores.contributions.argmax(axis=1)
            )
        return cls(*(np.concatenate(each) for each in (alarms, moves, leads)))

    def learned_change(self, frame: Frame, learned: Mask, normal: int) -> LearnedChange | None:
        """Return what there is to tell of such rows that are learned, of so many normal ones."""
        if not learned.any():
            return None
        ((first, last),) = longest_stretches(frame.times, learned, gap=LONGEST_MEMORY, most=1)
        longest = learned & (frame.times >= first) & (frame.times <= last)
        return LearnedChange(
            share=float(learned.sum() / normal),
            sensor=frame.sensors[np.bincount(self.leads[longest]).argmax()],
            first=first,
            last=last,
        )
