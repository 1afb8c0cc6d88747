"""What was decided about an export, what has to be asked, and what the user answered beforehand."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from l4e_cli.errors import CliError

KEYS: Mapping[str, str] = {
    "columns": "names of all columns, separated by commas, when no line of the file fits them",
    "damaged-rows": "drop: leave out rows that have more or fewer cells than the others",
    "date-order": "dmy, mdy or ymd: the order of day, month and year",
    "decimal": "comma or dot: the decimal mark",
    "drop": "columns to leave out, separated by commas",
    "duplicates": "last: of several values of one sensor at one time, take the last",
    "encoding": "encoding of the text, such as utf-8, cp1251 or gbk",
    "fold": "first or second: which of the two hours a time means that exists twice in its time zone",
    "good": "the marks of quality columns that keep a value, separated by commas",
    "header": "number of the line that holds the names",
    "layout": "wide (one column per sensor) or long (one row per value, the sensor named in it)",
    "quality": "none: read no column as a quality; or COLUMN=SENSOR pairs, separated by commas",
    "rows-without-time": "drop: leave out rows whose time cannot be read",
    "separator": "comma, semicolon, tab or pipe",
    "tag": "in the long layout, the column that names the sensor",
    "time": "the time column, or DATE+TIME for two columns",
    "time-form": "excel: the numbers of the time column are days as Excel counts them",
    "texts": "blank: cells that begin like a number and are none have no value",
    "value": "in the long layout, the column that holds the values",
}
"""The keys of `--set`, and what they decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something that was decided about a file.

    Attributes:
        what: The subject, such as "decimal mark".
        value: What was decided.
        evidence: What decided it.
        count: How many rows, cells or columns it concerns; `None` where a number says nothing.
        example: One of them, as it stands in the file.
    """

    what: str
    value: str
    evidence: str
    count: int | None = None
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that the file does not decide.

    Attributes:
        key: The key of `--set` that decides it, or `--time-zone`.
        text: What was found, and what it could mean.
        choices: Values to choose from, or a form of the value.
    """

    key: str
    text: str
    choices: tuple[str, ...]

    def __str__(self) -> str:
        option = self.key if self.key.startswith("--") else f"--set {self.key}"
        joint = " " if self.key.startswith("--") else "="
        ways = " or ".join(f"`{option}{joint}{choice}`" for choice in self.choices)
        return f"{self.text}: decide with {ways}"


class UnfitExport(CliError):  # noqa: N818 - named for what it is, like UnusableFile of the engine
    """An export that cannot be turned into files of the service; the message says what would help."""


class UndecidedExport(CliError):  # noqa: N818 - likewise
    """An export that can be read in several ways.

    Attributes:
        questions: What has to be decided.
    """

    def __init__(self, *questions: Question) -> None:
        super().__init__("\n".join(str(question) for question in questions))
        self.questions = questions


@dataclass(frozen=True, slots=True)
class Answers:
    """What the user decided beforehand.

    Attributes:
        by_key: Values of `--set`.
        time_zone: Value of `--time-zone`.
    """

    by_key: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None

    @classmethod
    def parse(cls, texts: Iterable[str], *, time_zone: str | None = None) -> "Answers":
        """Read the values of `--set`.

        Raises:
            CliError: When one is not `KEY=VALUE`, or the key is not known.
        """
        found: dict[str, str] = {}
        for text in texts:
            key, equals, value = text.partition("=")
            if not equals or key not in KEYS or not value:
                known = "\n".join(f"  {key}: {meaning}" for key, meaning in KEYS.items())
                raise CliError(f"--set {text!r} is not KEY=VALUE with one of these keys:\n{known}")
            if found.get(key, value) != value:
                raise CliError(f"--set {key} is given as {found[key]!r} and as {value!r}: give it once")
            found[key] = value
        return cls(found, time_zone)

    def get(self, key: str) -> str | None:
        """Return the answer to a key, `None` when there is none."""
        return self.by_key.get(key)

    def choose(self, key: str, choices: Sequence[str]) -> str | None:
        """Return the answer to a key that has a fixed set of values.

        Raises:
            CliError: When the answer is none of them.
        """
        value = self.by_key.get(key)
        if value is not None and value not in choices:
            raise CliError(f"--set {key}={value} is none of {', '.join(choices)}")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """Return the answer to a key that holds names separated by commas; quotes protect a comma."""
        value = self.by_key.get(key)
        return () if value is None else tuple(name.strip() for name in next(csv.reader([value]), []))
