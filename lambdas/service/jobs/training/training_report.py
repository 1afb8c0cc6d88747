"""What a training found in its rows that somebody should know, in words and numbers. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine import Detector, Silence
from service.jobs.training.training_labels import NO_ANOMALY
from service.members.adaptation_tag import ADAPTATION_TAG

if TYPE_CHECKING:
    from numpy import datetime64

_WIDE = 2.0
"""How many times as wide limits are, from which that is told."""


def training_report(detector: Detector, silence: Silence | None) -> dict[str, Any] | None:
    """Return members of a document about a training; None when there is nothing to tell.

    Args:
        detector: the result, with the adaptation of its model.
        silence: what silent sensors meant for it, if any was.

    """
    notes = [
        *_not_learned(detector),
        *_learned_change(detector),
        *_silent(silence),
        *_slow_faults(detector),
        *_wide_limits(detector),
    ]
    if not notes:
        return None
    return {
        "not_learned_percent": round(100 * detector.trimmed, 2),
        "not_learned": [{"start": str(first), "end": str(last)} for first, last in detector.left_out],
        "unconfirmed_percent": round(100 * change.share, 2) if (change := detector.learned_change) else 0.0,
        "silent_percent": round(100 * silence.share, 2) if silence else 0.0,
        "slow_faults": round(_weight(detector), 3),
        "limits_widened": round(detector.widening, 2),
        "notes": notes,
    }


def _not_learned(detector: Detector) -> Iterator[str]:
    if len(detector.left_out):
        first, last = max(detector.left_out, key=lambda stretch: stretch[1] - stretch[0])
        share = f"{100 * detector.trimmed:.2g} %"
        yield (
            f"{share} of the training rows were not learned, as they look like faults that no label names; "
            f"the longest stretch is from {_stamp(first)} to {_stamp(last)}: label it, "
            f"as an anomaly if it was one, with the rating {NO_ANOMALY} if the machine runs like that"
        )


def _learned_change(detector: Detector) -> Iterator[str]:
    change = detector.learned_change
    if change is not None:
        yield (
            f"{100 * change.share:.2g} % of the training rows were learned although the version before "
            "alarmed there, or no longer counted the level of a sensor, and nobody has confirmed that: too "
            "few rows are left without them, or levels drift; the longest stretch is that of "
            f"{change.sensor} from {_stamp(change.first)} to {_stamp(change.last)}: label it, as an anomaly "
            f"if it was one, with the rating {NO_ANOMALY} if the machine runs like that"
        )


def _silent(silence: Silence | None) -> Iterator[str]:
    if silence is None:
        return
    which = (
        f"{silence.sensor} on most rows, the longest from {_stamp(silence.first)} to {_stamp(silence.last)}"
    )
    cure = "choose a window in which it reports, or leave it out of the schema of the model"
    if silence.share:
        share = f"{100 * silence.share:.2g} %"
        told = f"{share} of the training rows were not learned, as sensors have no value there"
    else:
        told = "rows on which sensors have no value were learned with their last ones, as few others are left"
    yield f"{told}; {which}: {cure}"


def _slow_faults(detector: Detector) -> Iterator[str]:
    slow, weight = detector.slow, _weight(detector)
    if detector.adaptation != "auto" or weight == 1:
        return
    told = "count in part" if weight else "are taken for drift of the plant"
    if slow is None:
        why, cure = "the training window holds too few rows", "choose a longer one"
    else:
        why = (
            "the training window holds less than two weeks of running"
            if slow.held == 1
            else "levels drifted in the training window, too"
        )
        cure = f"choose a longer one, or set the tag {ADAPTATION_TAG} = hold if levels have to stay"
    yield f"faults that grow over days {told}, because {why}: {cure}"


def _wide_limits(detector: Detector) -> Iterator[str]:
    if detector.widening >= _WIDE:
        yield (
            f"limits for faults of minutes to hours are {detector.widening:.2g} times as wide as usual, as "
            "the second half of the training window is unlike the first, so that smaller faults go unseen: "
            "choose a window that holds every way in which the machine runs more than once"
        )


def _weight(detector: Detector) -> float:
    return 0.0 if detector.slow is None else detector.slow.weight(detector.adaptation)


def _stamp(time: "datetime64") -> str:
    return f"{time.astype('datetime64[s]')}Z"
