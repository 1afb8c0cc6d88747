"""Exports with known content, in all the forms that prepare knows, put together at random."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
Content = dict[str, dict[datetime, Decimal]]
"""Per sensor and time in UTC, the value."""

NAMES = ("Flow", "Press [bar]", "Öltemperatur °C", "Level %", "Drehzahl", "P-101.PV", "Vib mm/s", "Leistung", "T1", "Т насоса")


@dataclass(slots=True)
class RandomExport:
    """An export and what is in it."""

    data: bytes
    content: Content
    options: dict[str, str] = field(default_factory=dict)
    traits: dict[str, object] = field(default_factory=dict)


def make(seed: int) -> RandomExport:
    rng = random.Random(seed)  # noqa: S311
    zone = rng.choice([None, None, None, "offset", "Z", "Europe/Berlin", "America/New_York"])
    times = make_times(rng)
    sensors = rng.sample(NAMES, rng.randint(1, 5))
    digits = rng.choice([0, 1, 2, 3, 3, 5])
    content: Content = {name: {} for name in sensors}
    low, high = rng.choice([(0, 10), (1, 900), (-50, 50), (900, 2_500_000)])
    for name in sensors:
        for time in times:
            if rng.random() > 0.03:
                content[name][time] = Decimal(str(round(rng.uniform(low, high), digits))).quantize(
                    Decimal(1).scaleb(-digits)
                )
    separator = rng.choice([",", ";", "\t", "|"])
    mark = rng.choice([".", ","])
    group = rng.choice(["", "", "", "." if mark == "," else ",", "\u00a0", "'"])
    form = rng.choice(list(FORMS))
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    if encoding == "cp1252" and "Т насоса" in sensors:
        encoding = "utf-8"
    if form in {"excel", "us am/pm"} and zone in {"offset", "Z"}:
        zone = None
    traits = dict(zone=zone, separator=separator, mark=mark, group=group, form=form, encoding=encoding, digits=digits, sensors=sensors, low=low, high=high)
    layout = rng.choice(["wide", "wide", "wide", "long", "long by tag"])
    traits["layout"] = layout
    writer = Writer(rng, separator, mark, group, form, zone)
    lines = writer.wide(content, times) if layout == "wide" else writer.long(content, times, by_tag=layout != "long")
    traits.update(writer.traits)
    text = writer.line_end.join(lines) + (writer.line_end if rng.random() < 0.8 else "")
    data = text.encode(encoding)
    options = {}
    if zone in {"Europe/Berlin", "America/New_York"}:
        options["time-zone"] = str(zone)
    return RandomExport(data, {name: values for name, values in content.items()}, options, traits)


def make_times(rng: random.Random) -> list[datetime]:
    start = datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 0, tzinfo=UTC)
    if rng.random() < 0.25:
        start = rng.choice([datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 11, 1, 0, tzinfo=UTC), datetime(2026, 3, 8, 0, tzinfo=UTC)])
    step = timedelta(seconds=rng.choice([1, 10, 60, 300, 900, 3600, 7200, 86400]))
    count = rng.choice([12, 40, 120, 400])
    times = [start + step * at for at in range(count)]
    if rng.random() < 0.2:
        times = [time + timedelta(milliseconds=rng.randint(0, 900)) for time in times]
        times = sorted(set(times))
    return times


def _two(year: int) -> str:
    return f"{year % 100:02d}"


FORMS = {
    "iso": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    "isoT": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S"),
    "slash ymd": lambda t: t.strftime("%Y/%m/%d %H:%M:%S"),
    "us": lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M:%S}",
    "us am/pm": lambda t: f"{t.month}/{t.day}/{t.year} {t.hour % 12 or 12}:{t:%M:%S} {'AM' if t.hour < 12 else 'PM'}",
    "uk": lambda t: t.strftime("%d/%m/%Y %H:%M:%S"),
    "german": lambda t: t.strftime("%d.%m.%Y %H:%M:%S"),
    "german short": lambda t: t.strftime("%d.%m.%y %H:%M:%S"),
    "dashes": lambda t: t.strftime("%d-%m-%Y %H:%M:%S"),
    "us short": lambda t: t.strftime("%m/%d/%y %H:%M:%S"),
    "pi": lambda t: f"{t.day:02d}-{MONTHS[t.month - 1]}-{_two(t.year)} {t:%H:%M:%S}",
    "words": lambda t: f"{MONTHS[t.month - 1]} {t.day}, {t.year} {t:%H:%M:%S}",
    "digits": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "epoch s": None,
    "epoch ms": None,
    "excel": None,
    "two columns": None,
}


class Writer:
    def __init__(self, rng: random.Random, separator: str, mark: str, group: str, form: str, zone: str | None) -> None:
        self.rng, self.separator, self.mark, self.group, self.form, self.zone = rng, separator, mark, group, form, zone
        self.line_end = rng.choice(["\n", "\r\n"])
        self.quote_all = rng.random() < 0.15
        self.traits: dict[str, object] = {}

    def time(self, time: datetime) -> list[str]:
        if self.form == "epoch s":
            whole = int(time.timestamp())
            return [f"{whole}.{time.microsecond // 1000:03d}" if time.microsecond else str(whole)]
        if self.form == "epoch ms":
            return [str(int(time.timestamp()) * 1000 + time.microsecond // 1000)]
        suffix = ""
        if self.zone in {"Europe/Berlin", "America/New_York"}:
            time = time.astimezone(ZoneInfo(self.zone))
        elif self.zone == "offset":
            time, suffix = time + timedelta(hours=2), "+02:00"
        elif self.zone == "Z":
            suffix = "Z"
        if self.form == "excel":
            days = Decimal((time.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(microseconds=1)) / 86_400_000_000
            return [f"{days:.10f}".replace(".", self.mark if self.separator != "," else ".")]
        if self.form == "two columns":
            return [time.strftime("%Y-%m-%d"), time.strftime("%H:%M:%S") + self.fraction(time) + suffix]
        if self.form == "us am/pm":
            return [FORMS[self.form](time).replace(" AM", f"{self.fraction(time)} AM").replace(" PM", f"{self.fraction(time)} PM")]
        return [FORMS[self.form](time) + self.fraction(time) + suffix]

    def fraction(self, time: datetime) -> str:
        if not time.microsecond:
            return ""
        return f".{time.microsecond // 1000:03d}" if self.form != "digits" else f"{time.microsecond // 1000:03d}"

    def number(self, value: Decimal | None) -> str:
        if value is None:
            return self.rng.choice(["", "", "Bad", "No Data", "NaN"]) if self.traits.get("status") else ""
        text = f"{value:,f}" if self.group else f"{value:f}"
        return text.replace(",", "\0").replace(".", self.mark).replace("\0", self.group)

    def cells(self, cells: list[str]) -> str:
        return self.separator.join(
            '"' + cell.replace('"', '""') + '"' if self.quote_all or self.separator in cell else cell for cell in cells
        )

    def head(self) -> list[str]:
        rng = self.rng
        lines = []
        if rng.random() < 0.1:
            lines.append(f"sep={self.separator}")
        if rng.random() < 0.25:
            lines += [self.cells(["Report", "Pump 1"]), self.cells(["From", "2026-03-01 00:00:00"]), ""]
            self.traits["preamble"] = True
        elif rng.random() < 0.1:
            lines += ["Export of Pump 1", "created by somebody"]
        return lines

    def foot(self) -> list[str]:
        if self.rng.random() < 0.2:
            self.traits["footer"] = True
            return ["", "End of report"]
        return []

    def time_names(self) -> list[str]:
        return ["Datum", "Zeit"] if self.form == "two columns" else [self.rng.choice(["Timestamp", "Time", "Zeitstempel", "DateTime"])]

    def wide(self, content: Content, times: list[datetime]) -> list[str]:
        rng = self.rng
        self.traits["status"] = rng.random() < 0.3
        quality = rng.random() < 0.2
        index = rng.random() < 0.1
        trailing = rng.random() < 0.1
        units = rng.random() < 0.2
        self.traits.update(quality=quality, index=index, trailing=trailing, units=units)
        names = self.time_names()
        header, unit_row = [*names], ["" for _ in names]
        for name in content:
            header.append(name)
            unit_row.append("bar")
            if quality:
                header.append(f"{name} Quality")
                unit_row.append("")
        ends = [""] if trailing else []
        starts = [""] if index else []
        lines = [*self.head(), self.cells([*starts, *header, *ends])]
        if units:
            lines.append(self.cells([*starts, *unit_row, *ends]))
        at_header = lines[-1] if not units else lines[-2]
        for at, time in enumerate(times):
            row = [*([str(at)] if index else []), *self.time(time)]
            for name, values in content.items():
                row.append(self.number(values.get(time)))
                if quality:
                    bad = rng.random() < 0.05
                    row.append("Bad" if bad else "Good")
                    if bad:
                        values.pop(time, None)
            lines.append(self.cells([*row, *ends]))
            if at == len(times) // 2 and rng.random() < 0.05:
                lines.append(at_header)
                self.traits["repeated"] = True
        order = rng.random()
        if order < 0.1 and not self.traits.get("repeated") and not index:
            start = len(lines) - len(times)
            lines[start:] = lines[start:][::-1]
            self.traits["reversed"] = True
        return [*lines, *self.foot()]

    def long(self, content: Content, times: list[datetime], *, by_tag: bool) -> list[str]:
        rng = self.rng
        self.traits["status"] = rng.random() < 0.3
        quality = rng.random() < 0.3
        names = rng.choice([("Tag", "Value"), ("TagName", "Wert"), ("Name", "val"), ("Messstelle", "Wert")])
        header = [*self.time_names(), names[0], names[1]] + (["Quality"] if quality else [])
        self.traits.update(quality=quality)
        pairs = [(time, name) for name in content for time in times] if by_tag else [(time, name) for time in times for name in content]
        lines = [*self.head(), self.cells(header)]
        for time, name in pairs:
            row = [*self.time(time), name, self.number(content[name].get(time))]
            if quality:
                good = rng.random() > 0.05
                row.append("192" if good else "0")
                if not good:
                    content[name].pop(time, None)
            lines.append(self.cells(row))
        return [*lines, *self.foot()]
