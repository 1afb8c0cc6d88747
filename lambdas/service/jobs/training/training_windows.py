"""Training and evaluation windows: what of the requested window the data covers. Pure."""

from dataclasses import dataclass

from service.clock import iso_seconds
from service.jobs.failure import JobFailed

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A stretch of time in epoch seconds, both ends included."""

    start: float
    end: float

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end - self.start) / _DAY

    def __str__(self) -> str:
        return f"{iso_seconds(self.start)} to {iso_seconds(self.end)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWindows:
    """The effective windows of a training; `evaluation` is None when none was asked for."""

    training: TimeSpan
    evaluation: TimeSpan | None

    @classmethod
    def of(
        cls,
        *,
        data: TimeSpan,
        training: tuple[float | None, float | None],
        evaluation: tuple[float | None, float | None],
        minimum_days: float | None,
        dataset: str,
    ) -> "TrainingWindows":
        """Cut the requested windows to the `data`; the default trains on all data before the evaluation.

        Args:
            data: what the dataset covers.
            training: start and end as requested, in epoch seconds, None for what is not given.
            evaluation: likewise; None twice asks for no evaluation.
            minimum_days: days that the training window must have, None for any.
            dataset: the name of the dataset, for messages.

        Raises:
            JobFailed: when a window has no data or is too short.
        """
        evaluated = None
        last = training[1]
        if evaluation != (None, None):
            evaluated = _cut("evaluation", evaluation, data, dataset)
            last = evaluation[0] if last is None else last
        trained = _cut("training", (training[0], last), data, dataset)
        if minimum_days is not None and trained.days < minimum_days:
            raise JobFailed(
                f"the training window has {trained.days:.2f} days of data ({trained}), but a model needs at "
                f"least {minimum_days:g} days: dataset '{dataset}' has data from {data}; choose a longer "
                "training window, ingest more history, or lower the minimum training span in the settings "
                "of the service"
            )
        return cls(training=trained, evaluation=evaluated)


def _cut(what: str, asked: tuple[float | None, float | None], data: TimeSpan, dataset: str) -> TimeSpan:
    start = data.start if asked[0] is None else max(asked[0], data.start)
    end = data.end if asked[1] is None else min(asked[1], data.end)
    if start >= end:
        wanted = TimeSpan(
            start=data.start if asked[0] is None else asked[0],
            end=data.end if asked[1] is None else asked[1],
        )
        raise JobFailed(
            f"the {what} window {wanted} has no data: dataset '{dataset}' has data from {data}; choose a "
            f"{what} window inside that range, or ingest the missing history"
        )
    return TimeSpan(start=start, end=end)
