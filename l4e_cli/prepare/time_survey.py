"""What the times of all rows show: the order of day and month, signs of summer time, order and span."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.times import DAY, HOUR, NO_TIME, SECOND, Micros, TimeForm, parse_times
from l4e_cli.prepare.zone import Localiser
from l4e_files.clock_changes import CHANGE_DAYS

SAMPLES_PER_BLOCK = 512
_FEWER = 20
"""One order of day and month is right when the other one leaves this many times as many times unread."""

_EVEN_DAYS = 2
"""Changes of the day at the usual step that decide the order, when the other order has none."""

_LEAST_FALL = HOUR // 2
_FEW_FALLS = 20
_NEAR_END = 0.1
"""Share of all time in which the sensors of a long layout begin, and in which they end."""
_SHUFFLED = 0.2
"""With more rows than this share before the one above, the order of the rows tells nothing about clocks."""

_SUNDAY = 3  # days since 1970, a Thursday, modulo seven


@dataclass(slots=True, kw_only=True)
class TimeSurvey:
    """The times of all rows, read in one form.

    Attributes:
        form: The form.
        localiser: Turns them into UTC.
        read: Rows with a time.
        unread: Rows with a text that is not a time of this form.
        empty: Rows without a text.
        examples: Some of the texts that are no time.
        ordered: Whether no time, in UTC, is before the one above it.
        repeated: Rows with the same time as the row above.
        falls: Rows that are before the one above, as they are written.
        hour_falls: From and to which time, as written, some rows fall back as if a clock had been put back.
        skips: Where times skip an hour as if a clock had been put forward.
        fraction: The finest part of a second that is in use: 1, 1,000 or 1,000,000 microseconds.
        first: The earliest time in UTC.
        last: The latest time in UTC.
        samples: Some times, for quantiles.
        rows_from_to: The times of the first and the last row, as they are written.
    """

    form: TimeForm
    localiser: Localiser
    read: int = 0
    unread: int = 0
    empty: int = 0
    examples: list[str] = field(default_factory=list)
    ordered: bool = True
    repeated: int = 0
    falls: int = 0
    hour_falls: list[tuple[int, int]] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    even_days: int = 0
    uneven_days: int = 0
    fraction: int = SECOND
    first: int = np.iinfo(np.int64).max
    last: int = np.iinfo(np.int64).min
    samples: list[Micros] = field(default_factory=list)
    rows_from_to: tuple[int, int] | None = None
    _step: int | None = None
    _above_utc: int | None = None

    @property
    def rows(self) -> int:
        """All rows."""
        return self.read + self.unread + self.empty

    def add(self, texts: Any) -> None:
        """Look at the times of the next rows."""
        times = parse_times(texts, self.form)
        read = times.micros != NO_TIME
        count = int(np.count_nonzero(read))
        self.read += count
        if count < len(read):
            self._note_unread(texts, read)
        if count:
            self._add_local(times.micros[read])
            self._add_utc(self.localiser.to_utc(times)[read])

    def _note_unread(self, texts: Any, read: Any) -> None:
        for at in np.flatnonzero(~read):
            text = (texts[int(at)].as_py() or "").strip()
            if text:
                self.unread += 1
                if len(self.examples) < 5 and text not in self.examples:
                    self.examples.append(text)
            else:
                self.empty += 1

    def _add_utc(self, utc: Micros) -> None:
        utc = utc[utc != NO_TIME]
        if not len(utc):
            return
        if (self._above_utc is not None and utc[0] < self._above_utc) or (np.diff(utc) < 0).any():
            self.ordered = False
        self._above_utc = int(utc[-1])
        self.first, self.last = min(self.first, int(utc.min())), max(self.last, int(utc.max()))
        # A copy: a view would keep the times of every row in memory.
        self.samples.append(utc[:: max(1, len(utc) // SAMPLES_PER_BLOCK)].copy())
        for finer in (1_000, 1):
            if self.fraction > finer and (utc % self.fraction).any():
                self.fraction = finer

    def _add_local(self, local: Micros) -> None:
        first, above = self.rows_from_to or (int(local[0]), None)
        chained = local if above is None else np.concatenate(([above], local))
        self.rows_from_to = first, int(local[-1])
        steps = np.diff(chained) * (-1 if self.localiser.descending else 1)
        if self._step is None:
            self._step = _usual_step(steps)
        self.repeated += int(np.count_nonzero(steps == 0))
        self._note_days(chained, steps)
        self.falls += int(np.count_nonzero(steps < 0))
        self._note_clock_changes(chained, steps)

    def _note_clock_changes(self, chained: Micros, steps: Micros) -> None:
        back = (steps >= -HOUR) & (steps <= -_LEAST_FALL)
        if self._step is not None:
            back |= (steps == self._step - HOUR) & (steps < 0)
        for at in np.flatnonzero(back)[:_FEW_FALLS]:
            if len(self.hour_falls) < _FEW_FALLS and clock_may_change(chained[at]):
                self.hour_falls.append((int(chained[at]), int(chained[at + 1])))
        if self._step is not None and 0 < self._step <= HOUR:
            for at in np.flatnonzero(steps == self._step + HOUR)[:_FEW_FALLS]:
                later = max(int(chained[at]), int(chained[at + 1]))
                if len(self.skips) < _FEW_FALLS and clock_may_change(later):
                    self.skips.append(_shown(int(min(chained[at], chained[at + 1]))))

    def _note_days(self, chained: Micros, steps: Micros) -> None:
        """Count changes of the day at the usual step, which no wrong order of day and month has."""
        if self._step is None or abs(self._step) >= DAY:
            return
        changed = np.diff(chained // DAY) != 0
        even = changed & (steps == self._step)
        self.even_days += int(np.count_nonzero(even))
        self.uneven_days += int(np.count_nonzero(changed & ~even))


def decide_form(surveys: Sequence[TimeSurvey], answers: Answers) -> tuple[TimeSurvey, list[Decision]]:
    """Return the survey of the form that the times have.

    Raises:
        UndecidedExport: When day and month can be read in two orders.
        UnfitExport: When the answer fits no form.
    """
    orders = [survey.form.order for survey in surveys]
    if len(surveys) == 1:
        return surveys[0], []
    answered = answers.choose("date-order", ("dmy", "mdy", "ymd"))
    if answered is not None:
        if answered not in orders:
            raise UnfitExport(
                f"--set date-order={answered} does not fit these times: choose {' or '.join(orders)}"
            )
        survey = surveys[orders.index(answered)]
        return survey, [_order(survey, "--set")]
    ranked = sorted(surveys, key=lambda survey: survey.unread)
    best, second = ranked[0], ranked[1]
    if second.unread >= _FEWER * max(1, best.unread) or (second.unread and not best.unread):
        return best, [
            _order(
                best, f"read otherwise, {second.unread:,} dates do not exist, such as {second.examples[0]!r}"
            )
        ]
    open_ = [survey for survey in surveys if survey.unread == best.unread]
    even = [survey for survey in open_ if survey.even_days >= _EVEN_DAYS]
    if (
        len(even) == 1
        and not any(survey.even_days for survey in open_ if survey is not even[0])
        and even[0].uneven_days <= even[0].even_days
    ):
        survey = even[0]
        return survey, [
            _order(
                survey, f"the usual step leads over midnight {survey.even_days} times; read otherwise, never"
            )
        ]
    readings = " or ".join(
        f"{_shown(survey.first)} to {_shown(survey.last)} ({survey.form.order})" for survey in open_
    )
    raise UndecidedExport(
        Question(
            key="date-order",
            text=f"the dates can be read in several orders: they go from {readings}",
            choices=tuple(survey.form.order for survey in open_),
        )
    )


def decide_zone(survey: TimeSurvey, answers: Answers, *, named: bool) -> Decision:
    """Return what the times are taken to be in.

    Args:
        survey: The times of all rows.
        answers: What the user decided.
        named: Whether the times name their zone, or count from 1970.

    Raises:
        UndecidedExport: When the times look like those of a clock that changes between summer and winter.
    """
    if named:
        ignored = " (--time-zone is not needed)" if answers.time_zone else ""
        return Decision(what="time zone", value="UTC", evidence=f"the times say so themselves{ignored}")
    if answers.time_zone is not None:
        evidence, own = "--time-zone; converted to UTC", survey.localiser.own_zones
        if own:
            evidence += f", but for {own:,} of {survey.read:,} times, which name their own"
        return Decision(what="time zone", value=answers.time_zone, evidence=evidence)
    choices = ("UTC", "+01:00", "Europe/Berlin")
    falls = [fall for fall in survey.hour_falls if not _starts_again(survey, *fall)]
    if falls and survey.falls <= max(2, _SHUFFLED * survey.read):
        text = f"times fall back after {_shown(falls[0][0])}, as clocks do in autumn"
        raise UndecidedExport(Question(key="--time-zone", text=text, choices=choices))
    if survey.skips:
        text = f"an hour is missing after {survey.skips[0]}, as clocks skip one in spring"
        raise UndecidedExport(Question(key="--time-zone", text=text, choices=choices))
    return Decision(
        what="time zone",
        value="UTC",
        evidence="none is named and no clock change is seen: the times are taken as they are",
    )


def _starts_again(survey: TimeSurvey, before: int, behind: int) -> bool:
    """Return whether a fall leads from the time of the last row to that of the first.

    That is where the next sensor of a long layout begins. After a clock was put back, time goes on.
    """
    first, last = survey.rows_from_to or (behind, before)
    near = _NEAR_END * (survey.last - survey.first)
    return abs(before - last) <= near and abs(behind - first) <= near


def _order(survey: TimeSurvey, evidence: str) -> Decision:
    words = {"d": "day", "m": "month", "y": "year"}
    value = ", ".join(words[letter] for letter in survey.form.order)
    return Decision(what="order of the date", value=value, evidence=evidence, count=survey.read)


def _usual_step(steps: Micros) -> int | None:
    """Return the most frequent step but 0, when at least half of the steps are it."""
    moving = steps[steps != 0]
    if not len(moving):
        return None
    values, counts = np.unique(moving, return_counts=True)
    at = int(np.argmax(counts))
    return int(values[at]) if 2 * counts[at] >= len(moving) else None


def clock_may_change(local: int) -> bool:
    """Return whether clocks somewhere change about this time: early on a Sunday in spring or autumn."""
    day, time = divmod(int(local), DAY)
    date = np.int64(day).astype("datetime64[D]").item()
    return day % 7 == _SUNDAY and (date.month, date.day) in CHANGE_DAYS and time < 5 * HOUR


def _shown(micros: int) -> str:
    return str(np.int64(micros).astype("datetime64[us]").astype("datetime64[s]"))
