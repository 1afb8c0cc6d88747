"""Compare two detectors on rows that neither was trained on, as retraining does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.features import LONGEST_MEMORY
from engine.detect.scores import Scores
from engine.evaluate.evaluation import Evaluation, evaluate
from engine.evaluate.intervals import Interval, rows_inside
from engine.evaluate.roc import roc_auc
from engine.frame.frame import Frame

Mask = NDArray[np.bool_]
Better = Literal["prior", "candidate"]

ALARM_SLACK = 0.05
"""Alarm hours a day count as different from this on: three minutes."""
LEAD_SLACK = 0.05
"""Lead times, in parts of the labelled time, count as different from this on."""
DRIFTED_SHARE = 0.06
"""A prior that alarms for more than this share of the time no longer knows what is usual."""
AGREEMENT = 0.7
"""Least ROC area of the candidate's scores for the rows where the prior alarms; 0.5 is chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Both evaluations on the same rows, and which detector is better.

    Attributes:
        prior: evaluation of the prior detector.
        candidate: evaluation of the new one.
        better: the better one, the prior on a tie; None when the rows do not decide: none was scored, or
            there are no labels and the detectors contradict each other.
        reason: a sentence for people.

    """

    prior: Evaluation
    candidate: Evaluation
    better: Better | None
    reason: str


def compare(prior: Detector, candidate: Detector, frame: Frame, labels: Sequence[Interval]) -> Comparison:
    """Score a frame with both detectors and compare them; see `compare_scores`.

    Args:
        prior: the detector in use.
        candidate: the new one.
        frame: rows that neither was trained on.
        labels: labelled events, which may be none.

    Raises:
        ValueError: when the frame has other sensors than a detector.

    """
    before, after = (each.score(replace(frame, step=each.step)) for each in (prior, candidate))
    return compare_scores(before, after, labels, step=candidate.step)


def compare_scores(
    before: Scores,
    after: Scores,
    labels: Sequence[Interval],
    *,
    step: np.timedelta64,
    neutral: Sequence[Interval] = (),
) -> Comparison:
    """Compare two detectors by their scores of the same rows.

    With labels in these rows, the better detector is the one that identifies more of them; if equal, the one
    with fewer alarm hours a day away from labels; if equal, the one with the longer lead time. Without
    labels, it is the one with fewer alarm hours. A candidate with fewer must still score high where the
    prior alarms, unless the prior alarms so often that it no longer knows what is usual.

    Args:
        before: scores of the prior detector.
        after: scores of the candidate.
        labels: labelled events, which may be none.
        step: time between rows.
        neutral: periods of which nobody knows what they were; what lies in them speaks for neither.

    """
    prior, candidate = (evaluate(each, labels, step=step, neutral=neutral) for each in (before, after))
    known = ~rows_inside(before.times, neutral)
    better, reason = _verdict(before, after, prior, candidate, step=step, known=known)
    return Comparison(prior=prior, candidate=candidate, better=better, reason=reason)


def _verdict(
    before: Scores,
    after: Scores,
    prior: Evaluation,
    candidate: Evaluation,
    *,
    step: np.timedelta64,
    known: Mask,
) -> tuple[Better | None, str]:
    if not len(before.times) or before.off.all():
        return None, "no rows with the machine on to compare the versions by"
    if not prior.labeled:
        return _verdict_without_labels(before, after, known)
    labels = len(prior.labeled)
    if prior.identified != candidate.identified:
        found = (
            f"finds {candidate.identified} of {labels} labelled events, the prior version {prior.identified}"
        )
        return _side(candidate.identified > prior.identified), f"the new version {found}"
    # alarms just after an event are its tail, which is longer for a more sensitive detector
    outside = known & ~rows_inside(before.times, prior.labeled, margin=LONGEST_MEMORY * step)
    hours = [_alarm_hours(scores, outside) for scores in (before, after)]
    if abs(hours[1] - hours[0]) > ALARM_SLACK:
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


def _verdict_without_labels(before: Scores, after: Scores, known: Mask) -> tuple[Better | None, str]:
    hours = [_alarm_hours(scores, known) for scores in (before, after)]
    facts = f"no labels; {_alarms(hours)}"
    if abs(hours[1] - hours[0]) <= ALARM_SLACK:
        return "prior", f"{facts}: a tie, the prior version stays"
    if hours[1] > hours[0]:
        return "prior", facts
    if hours[0] > 24 * DRIFTED_SHARE:
        return "candidate", f"{facts}: it no longer knows what is usual"
    on = ~before.off & known
    agreement = roc_auc(before.prediction[on] == 1, after.score[on])
    if agreement is not None and agreement < AGREEMENT:
        return None, f"{facts}, and the new one does not see what the prior one does: labels would tell"
    return "candidate", facts


def _side(candidate: bool) -> Better:  # noqa: FBT001 - the verdict itself
    return "candidate" if candidate else "prior"


def _alarms(hours: list[float]) -> str:
    return f"the new version alarms {hours[1]:.2g} hours a day, the prior version {hours[0]:.2g}"


def _alarm_hours(scores: Scores, rows: Mask) -> float:
    """Return the alarm hours per day of operation over some rows."""
    counted = rows & ~scores.off
    return 24 * float(scores.prediction[counted].mean()) if counted.any() else 0.0
