"""Exports with known content, put together at random from the forms that historians have."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

Content = dict[str, dict[datetime, Decimal]]
"""Per sensor and time in UTC, the value."""

CYRILLIC = "\u0422 \u043d\u0430\u0441\u043e\u0441\u0430"
NAMES = (
    "Flow",
    "Press [bar]",
    "Öltemperatur °C",
    "Level %",
    "Drehzahl",
    "P-101.PV",
    "Vib mm/s",
    "Leistung",
    "T1",
    CYRILLIC,
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LOCAL_ZONES = ("Europe/Berlin", "America/New_York")
CLOCK_CHANGES = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 11, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 8, 0, tzinfo=UTC),
)


def _twelve_hours(time: datetime) -> str:
    half = "AM" if time.hour < 12 else "PM"
    return f"{time.month}/{time.day}/{time.year} {time.hour % 12 or 12}:{time:%M:%S}{{fraction}} {half}"


FORMS: Mapping[str, Callable[[datetime], str]] = {
    "iso": lambda time: f"{time:%Y-%m-%d %H:%M:%S}{{fraction}}",
    "iso with T": lambda time: f"{time:%Y-%m-%dT%H:%M:%S}{{fraction}}",
    "slashes, year first": lambda time: f"{time:%Y/%m/%d %H:%M:%S}{{fraction}}",
    "us": lambda time: f"{time.month}/{time.day}/{time.year} {time.hour}:{time:%M:%S}{{fraction}}",
    "am/pm": _twelve_hours,
    "uk": lambda time: f"{time:%d/%m/%Y %H:%M:%S}{{fraction}}",
    "german": lambda time: f"{time:%d.%m.%Y %H:%M:%S}{{fraction}}",
    "german, short": lambda time: f"{time:%d.%m.%y %H:%M:%S}{{fraction}}",
    "dashes, day first": lambda time: f"{time:%d-%m-%Y %H:%M:%S}{{fraction}}",
    "us, short": lambda time: f"{time:%m/%d/%y %H:%M:%S}{{fraction}}",
    "pi": lambda time: f"{time.day:02d}-{MONTHS[time.month - 1]}-{time:%y %H:%M:%S}{{fraction}}",
    "words": lambda time: f"{MONTHS[time.month - 1]} {time.day}, {time:%Y %H:%M:%S}{{fraction}}",
    "digits": lambda time: f"{time:%Y%m%d%H%M%S}{{fraction}}",
}
COUNTS = ("epoch seconds", "epoch milliseconds", "excel")
TWO_COLUMNS = "two columns"
WITHOUT_ZONE = ("am/pm", "excel")


@dataclass(slots=True, kw_only=True)
class RandomExport:
    """An export, what is in it, and what prepare has to be told."""

    data: bytes
    content: Content
    time_zone: str | None
    traits: Mapping[str, object]


@dataclass(slots=True, kw_only=True)
class Traits:
    """How an export is written."""

    rng: random.Random
    separator: str
    mark: str
    group: str
    form: str
    zone: str | None
    layout: str
    encoding: str
    line_end: str
    quote_all: bool
    status: bool
    quality: bool
    notes: dict[str, object] = field(default_factory=dict)

    @classmethod
    def draw(cls, rng: random.Random) -> "Traits":
        mark = rng.choice(".,")
        form = rng.choice([*FORMS, *COUNTS, TWO_COLUMNS])
        zone = rng.choice([None, None, None, "offset", "Z", *LOCAL_ZONES])
        return cls(
            rng=rng,
            separator=rng.choice(",;\t|"),
            mark=mark,
            group=rng.choice(["", "", "", "." if mark == "," else ",", "\u00a0", "'"]),
            form=form,
            zone=None if form in WITHOUT_ZONE and zone in {"offset", "Z"} else zone,
            layout=rng.choice(["wide", "wide", "wide", "long", "long by sensor"]),
            encoding=rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]),
            line_end=rng.choice(["\n", "\r\n"]),
            quote_all=rng.random() < 0.15,
            status=rng.random() < 0.3,
            quality=rng.random() < 0.25,
        )

    def line(self, *cells: str) -> str:
        return self.separator.join(
            '"' + cell.replace('"', '""') + '"' if self.quote_all or self.separator in cell else cell
            for cell in cells
        )

    def time(self, time: datetime) -> list[str]:
        if self.form.startswith("epoch"):
            millis = int(time.timestamp()) * 1000 + time.microsecond // 1000
            return [str(millis) if self.form == "epoch milliseconds" else f"{Decimal(millis) / 1000:f}"]
        suffix = {"offset": "+02:00", "Z": "Z"}.get(self.zone or "", "")
        if self.zone in LOCAL_ZONES:
            time = time.astimezone(ZoneInfo(self.zone))
        elif self.zone == "offset":
            time += timedelta(hours=2)
        if self.form == "excel":
            since = time.replace(tzinfo=None) - datetime(1899, 12, 30)  # noqa: DTZ001 - as Excel counts
            days = f"{Decimal(since // timedelta(milliseconds=1)) / 86_400_000:.10f}"
            return [days.replace(".", "." if self.separator == "," else self.mark)]
        millis = f"{time.microsecond // 1000:03d}" if time.microsecond else ""
        if self.form == "digits":
            return [FORMS[self.form](time).format(fraction=millis) + suffix]
        fraction = f".{millis}" if millis else ""
        if self.form == TWO_COLUMNS:
            return [f"{time:%Y-%m-%d}", f"{time:%H:%M:%S}{fraction}{suffix}"]
        return [FORMS[self.form](time).format(fraction=fraction) + suffix]

    def time_names(self) -> list[str]:
        if self.form == TWO_COLUMNS:
            return ["Datum", "Zeit"]
        return [self.rng.choice(["Timestamp", "Time", "Zeitstempel", "DateTime"])]

    def number(self, value: Decimal | None) -> str:
        if value is None:
            return self.rng.choice(["", "", "Bad", "No Data", "NaN"]) if self.status else ""
        text = f"{value:,f}" if self.group else f"{value:f}"
        return text.translate({ord(","): self.group, ord("."): self.mark})

    def head(self) -> list[str]:
        lines = [f"sep={self.separator}"] if self.rng.random() < 0.1 else []
        kind = self.rng.random()
        if kind < 0.25:
            return [*lines, self.line("Report", "Pump 1"), self.line("From", "2026-03-01 00:00:00"), ""]
        return [*lines, "Export of Pump 1", "created by somebody"] if kind < 0.35 else lines

    def foot(self) -> list[str]:
        return ["", "End of report"] if self.rng.random() < 0.2 else []


def make(seed: int) -> RandomExport:
    """Return the export of a seed."""
    rng = random.Random(seed)  # noqa: S311
    traits = Traits.draw(rng)
    times = _times(rng)
    sensors = rng.sample(NAMES, rng.randint(1, 5))
    if CYRILLIC in sensors and traits.encoding == "cp1252":
        traits.encoding = "utf-8"
    content = _content(rng, sensors, times)
    lines = (_wide if traits.layout == "wide" else _long)(traits, content, times)
    text = traits.line_end.join(lines) + (traits.line_end if rng.random() < 0.8 else "")
    shown = {
        name: getattr(traits, name) for name in traits.__dataclass_fields__ if name not in {"rng", "notes"}
    }
    return RandomExport(
        data=text.encode(traits.encoding),
        content=content,
        time_zone=traits.zone if traits.zone in LOCAL_ZONES else None,
        traits={**shown, **traits.notes},
    )


def _times(rng: random.Random) -> list[datetime]:
    start = datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), tzinfo=UTC)
    if rng.random() < 0.25:
        start = rng.choice(CLOCK_CHANGES)
    step = timedelta(seconds=rng.choice([1, 10, 60, 300, 900, 3600, 7200, 86400]))
    times = [start + step * at for at in range(rng.choice([12, 40, 120, 400]))]
    if rng.random() < 0.2:
        times = sorted({time + timedelta(milliseconds=rng.randint(0, 900)) for time in times})
    return times


def _content(rng: random.Random, sensors: list[str], times: list[datetime]) -> Content:
    digits = rng.choice([0, 1, 2, 3, 3, 5])
    low, high = rng.choice([(0, 10), (1, 900), (-50, 50), (900, 2_500_000)])

    def value() -> Decimal:
        return Decimal(f"{rng.uniform(low, high):.{digits}f}")

    return {name: {time: value() for time in times if rng.random() > 0.03} for name in sensors}


def _wide(traits: Traits, content: Content, times: list[datetime]) -> list[str]:
    rng = traits.rng
    index, trailing, units = (rng.random() < 0.1 for _ in range(3))
    traits.notes |= {"index": index, "trailing": trailing, "units": units}
    first, last = [""] * index, [""] * trailing
    time_names = traits.time_names()
    names = [*first, *time_names]
    unit_cells = [*first, *("" for _ in time_names)]
    for name in content:
        names += [name, f"{name} Quality"][: 1 + traits.quality]
        unit_cells += ["bar", ""][: 1 + traits.quality]
    header = traits.line(*names, *last)
    lines = [*traits.head(), header, *([traits.line(*unit_cells, *last)] if units else [])]
    rows = []
    for at, time in enumerate(times):
        cells = [*([str(at)] if index else []), *traits.time(time)]
        for values in content.values():
            cells.append(traits.number(values.get(time)))
            if traits.quality:
                cells.append(_mark(rng, values, time, good="Good", bad="Bad"))
        rows.append(traits.line(*cells, *last))
    kind = rng.random()
    if kind < 0.1 and not index:
        rows.reverse()
    elif kind < 0.15:
        rows.insert(len(rows) // 2, header)
    return [*lines, *rows, *traits.foot()]


def _long(traits: Traits, content: Content, times: list[datetime]) -> list[str]:
    rng = traits.rng
    names = rng.choice([("Tag", "Value"), ("TagName", "Wert"), ("Name", "val"), ("Messstelle", "Wert")])
    lines = [*traits.head(), traits.line(*traits.time_names(), *names, *["Quality"] * traits.quality)]
    pairs = [(time, name) for time in times for name in content]
    if traits.layout == "long by sensor":
        pairs = [(time, name) for name in content for time in times]
    for time, name in pairs:
        cells = [*traits.time(time), name, traits.number(content[name].get(time))]
        if traits.quality:
            cells.append(_mark(rng, content[name], time, good="192", bad="0"))
        lines.append(traits.line(*cells))
    return [*lines, *traits.foot()]


def _mark(rng: random.Random, values: dict[datetime, Decimal], time: datetime, *, good: str, bad: str) -> str:
    if rng.random() > 0.05:
        return good
    values.pop(time, None)
    return bad
