"""Which of two detectors does better on rows that neither was trained on: for retraining."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.scores import Scores
from engine.evaluate.evaluation import Evaluation, Interval, evaluate, inside
from engine.frame.frame import Frame
from engine.train.fit import LABEL_MARGIN_ROWS

Better = Literal["prior", "candidate"]

ALARM_SLACK = (0.1, 0.05)
"""Alarm hours differ when they do so by a tenth of the larger, and by three minutes a day."""
LEAD_SLACK = 0.05
"""Lead times differ from this share of the labelled time on."""
DRIFTED_SHARE = 0.06
"""A prior in alarm for more than this share of the time no longer knows what is usual."""
AGREEMENT = 0.7
"""How well scores of the candidate must tell rows where the prior alarms: ROC area, 0.5 is by chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Both evaluations on the same rows and the verdict.

    ``better`` is None when the rows do not tell: none was scored, or there are no labels and the two
    contradict each other. A tie keeps the prior. ``reason`` is a sentence for people.
    """

    prior: Evaluation
    candidate: Evaluation
    better: Better | None
    reason: str


def compare(prior: Detector, candidate: Detector, frame: Frame, labels: Sequence[Interval]) -> Comparison:
    """Score the frame with both and judge; see ``weigh``.

    Raises:
        ValueError: the frame has other sensors than a detector.

    """
    before, after = (each.score(replace(frame, step=each.step)) for each in (prior, candidate))
    return weigh(before, after, labels, step=candidate.step)


def weigh(before: Scores, after: Scores, labels: Sequence[Interval], *, step: np.timedelta64) -> Comparison:
    """Judge two detectors by their scores of the same rows, ``before`` those of the prior one.

    With labels inside the frame: the one that finds more of them is better; if equal, the one with fewer
    alarm hours a day away from labels; if equal, the one that finds them earlier. Without: the one with fewer
    alarm hours, as long as it is no blinder: a candidate with fewer must see the prior's alarms too, unless
    the prior is in alarm so often that it has lost touch.
    """
    prior, candidate = (evaluate(each, labels, step=step) for each in (before, after))
    better, reason = _verdict(before, after, prior, candidate, step=step)
    return Comparison(prior=prior, candidate=candidate, better=better, reason=reason)


def _verdict(
    before: Scores, after: Scores, prior: Evaluation, candidate: Evaluation, *, step: np.timedelta64
) -> tuple[Better | None, str]:
    if not len(before.times) or before.off.all():
        return None, "no rows with the machine on to compare the versions by"
    if not prior.labeled:
        return _by_alarms(before, after)
    labels = len(prior.labeled)
    if prior.identified != candidate.identified:
        found = (
            f"finds {candidate.identified} of {labels} labelled events, the prior version {prior.identified}"
        )
        return _side(candidate.identified > prior.identified), f"the new version {found}"
    margin = LABEL_MARGIN_ROWS * step  # alarms just after an event are its tail, longer for a keener detector
    outside = ~inside(before.times, [(start - margin, end + margin) for start, end in prior.labeled])
    hours = [_alarm_hours(scores, outside) for scores in (before, after)]
    if _differ(*hours):
        return _side(hours[1] < hours[0]), (
            f"both find {prior.identified} of {labels} labelled events; away from them {_alarms(hours)}"
        )
    leads = [each.mean_fractional_lead_time or 0.0 for each in (prior, candidate)]
    if abs(leads[1] - leads[0]) > LEAD_SLACK:
        return _side(leads[1] > leads[0]), (
            f"both find {prior.identified} of {labels} labelled events with as many false alarms; the new "
            f"version warns for {leads[1]:.0%} of their time, the prior version for {leads[0]:.0%}"
        )
    return "prior", "both versions do equally well: the prior one stays"


def _by_alarms(before: Scores, after: Scores) -> tuple[Better | None, str]:
    every = np.ones(len(before.times), bool)
    hours = [_alarm_hours(scores, every) for scores in (before, after)]
    told = f"no labels; {_alarms(hours)}"
    if not _differ(*hours):
        return "prior", f"{told}: a tie, the prior version stays"
    if hours[1] > hours[0]:
        return "prior", told
    if hours[0] > 24 * DRIFTED_SHARE:
        return "candidate", f"{told}: it no longer knows what is usual"
    agreement = _agreement(before, after)
    if agreement < AGREEMENT:
        return None, f"{told}, and the new one does not see what the prior one does: labels would tell"
    return "candidate", told


def _side(candidate: bool) -> Better:  # noqa: FBT001 - the verdict itself
    return "candidate" if candidate else "prior"


def _alarms(hours: list[float]) -> str:
    return f"the new version alarms {hours[1]:.2g} hours a day, the prior version {hours[0]:.2g}"


def _differ(one: float, other: float) -> bool:
    share, least = ALARM_SLACK
    return abs(one - other) > max(share * max(one, other), least)


def _alarm_hours(scores: Scores, rows: NDArray[np.bool_]) -> float:
    """Return the alarm hours per day of operation over some rows."""
    counted = rows & ~scores.off
    return 24 * float(scores.prediction[counted].mean()) if counted.any() else 0.0


def _agreement(before: Scores, after: Scores) -> float:
    """Return the ROC area of the candidate's scores for the rows where the prior alarms."""
    on = ~before.off
    alarm, score = before.prediction[on] == 1, after.score[on]
    order = np.argsort(score, kind="stable")
    _, first, inverse, counts = np.unique(
        score[order], return_index=True, return_inverse=True, return_counts=True
    )
    ranks = np.empty(len(score))
    ranks[order] = (first + (counts + 1) / 2)[inverse]
    hits = int(alarm.sum())
    return float((ranks[alarm].sum() - hits * (hits + 1) / 2) / (hits * (len(alarm) - hits)))
