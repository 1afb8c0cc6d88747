"""Input of one inference: the files of a window found by name, read and merged per component."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from engine import ComponentReport, FileReport, UnusableFile, merge_component, rows_between
from service.jobs.columns import Columns
from service.jobs.failure import JobFailed, NothingThere, some
from service.jobs.inference.file_names import NameRange, Naming, Search
from service.jobs.runtime import log
from service.jobs.storage.csv_objects import read_csv_object
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.times import epoch, instant
from service.members.locations import prefix_mistake
from service.schedulers.inference_windows import InferenceWindow
from service.settings import Settings

_PARALLEL = 16
"""Lists and components at once: S3 takes longer to answer than a small file to be read."""
_SMALL_BYTES = 1 << 20
"""Files of a window that together are larger are read one after the other. While it is read, a file takes a
multiple of its size, of its size before it was compressed."""
_NEAR_LISTED = 1000
_SHOWN = 3
_LOGGED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLimits:
    """Quotas of the input of one execution; None is unlimited."""

    files_per_component: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLocation:
    """Where a scheduler looks for its files: `DataInputConfiguration`."""

    bucket: str
    prefix: str
    config: Mapping[str, Any]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "InputLocation":
        """Return the location in a `DataInputConfiguration`.

        Raises:
            JobFailed: when it has no bucket.
        """
        source = config.get("S3InputConfiguration") or {}
        if "Bucket" not in source:
            raise JobFailed(
                "DataInputConfiguration has no S3InputConfiguration: update the inference scheduler with "
                "the Bucket and Prefix of its input files"
            )
        return cls(bucket=source["Bucket"], prefix=source.get("Prefix", ""), config=config)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentInput:
    """The merged rows of a component, also some outside the window; `report` says what they are.

    `header` are the sensors that its files have, `files` their reports by key, `discarded` the keys of files
    that could not be read, with the reason.
    """

    columns: BinaryIO
    report: ComponentReport
    header: tuple[str, ...]
    files: Mapping[str, FileReport]
    discarded: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRead:
    """What the files of a window hold.

    `components` are the rows of every component that has any, `usable` those that can be scored, `problems`
    why the window cannot be. `naming` is how the files are named.
    """

    components: Mapping[str, ComponentInput]
    usable: frozenset[str]
    problems: tuple[str, ...]
    naming: tuple[Naming, ...]

    @property
    def usable_components(self) -> dict[str, ComponentInput]:
        """The rows that can be scored.

        Raises:
            JobFailed: naming every component that cannot be used and why.
        """
        if self.problems:
            raise JobFailed("; ".join(self.problems))
        return {name: found for name, found in self.components.items() if name in self.usable}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of a component: its rows, if it has any, and why they cannot be scored, if they cannot."""

    rows: ComponentInput | None = None
    failed: JobFailed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFiles:
    """The files of a window; `known` are sensors whose last value from before it may stand in.

    Files whose names are up to `reach` seconds away from the window may hold rows of it. Names as before
    (`naming`) are looked for first, and all others when a component cannot be scored with those.
    With `settings.partial_inference`, components and sensors without data are left out as long as any
    component has some.
    """

    customer: CustomerBuckets
    location: InputLocation
    columns: Columns
    window: InferenceWindow
    reach: int
    limits: InputLimits
    known: frozenset[str]
    naming: Collection[Naming]
    settings: Settings

    def read(self, stack: ExitStack) -> InputRead:
        """Return the rows of every component, in temporary files that last as long as `stack`.

        Raises:
            JobFailed: when the files cannot be listed, or are more than the quotas allow.
        """
        search = Search.around(self.window, self.location.config, reach=self.reach)
        usual = search.among(self.naming)
        found = self._find(usual, self.columns)
        self._check_sizes(found)
        outcomes = self._read_components(found, usual, stack)
        if usual != search:
            failed = [name for name, outcome in outcomes.items() if outcome.failed is not None]
            everywhere = self._find(search, failed)
            again = {name: files for name, files in everywhere.items() if files != found[name] or not files}
            found |= again
            self._check_sizes(found)
            outcomes |= self._read_components(again, search, stack)
        return self._input_read(
            outcomes, {each for name in found for each in search.naming(found[name], component=name)}
        )

    def _input_read(self, outcomes: Mapping[str, _Outcome], naming: Collection[Naming]) -> InputRead:
        failures = [outcome.failed for outcome in outcomes.values() if outcome.failed is not None]
        usable = frozenset(name for name, outcome in outcomes.items() if outcome.failed is None)
        problems = [failed.reason for failed in failures if not isinstance(failed, NothingThere)]
        if not self.settings.partial_inference or not usable:
            problems += [failed.reason for failed in failures if isinstance(failed, NothingThere)]
        return InputRead(
            components={name: each.rows for name, each in outcomes.items() if each.rows is not None},
            usable=usable,
            problems=tuple(problems),
            naming=tuple(sorted(naming)),
        )

    def _find(self, search: Search, components: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return for each component the keys to read, earliest name first, with their sizes."""
        wanted = [(name, names) for name in components for names in search.ranges(name)]
        prefix = self.location.prefix

        def listed(item: tuple[str, NameRange]) -> list[tuple[str, int]]:
            _, names = item
            objects = self.customer.objects(
                self.location.bucket, prefix + names.prefix, after=prefix + names.after
            )
            named = ((found.key.removeprefix(prefix), found.size) for found in objects)
            return list(takewhile(lambda each: names.holds(each[0]), named))

        found: dict[str, dict[str, int]] = {name: {} for name in components}
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for (name, _), objects in zip(wanted, pool.map(listed, wanted), strict=True):
                found[name].update(objects)
        return {
            name: {key: sizes[key] for key in search.matches(sizes, component=name)}
            for name, sizes in found.items()
        }

    def _read_components(
        self, found: Mapping[str, Mapping[str, int]], search: Search, stack: ExitStack
    ) -> dict[str, _Outcome]:
        def outcome(name: str) -> _Outcome:
            rows = None
            try:
                rows = self._read_component(name, list(found[name]), search, stack)
                self._check_columns(name, rows)
                self._check_rows(name, rows)
            except JobFailed as failed:
                return _Outcome(rows=rows, failed=failed)
            return _Outcome(rows=rows)

        size = sum(size for sizes in found.values() for size in sizes.values())
        with ThreadPoolExecutor(_PARALLEL if size <= _SMALL_BYTES else 1) as pool:
            return dict(zip(found, pool.map(outcome, found), strict=True))

    def _check_sizes(self, found: Mapping[str, Mapping[str, int]]) -> None:
        most = self.limits.files_per_component
        for name, sizes in found.items():
            if most is not None and len(sizes) > most:
                raise JobFailed(
                    f"component '{name}' has {len(sizes)} files for the window {self.window}, more than the "
                    f"limit of {most}: upload fewer, larger files, or raise the setting "
                    "'inference_files_per_component' of the service"
                )
        total = sum(size for sizes in found.values() for size in sizes.values())
        if self.limits.bytes is not None and total > self.limits.bytes:
            raise JobFailed(
                f"the files for the window {self.window} hold {total:,} bytes, more than the limit of "
                f"{self.limits.bytes:,}: upload only the rows of the window, choose a higher "
                "DataUploadFrequency, or raise the setting 'inference_bytes' of the service"
            )

    def _read_component(
        self, name: str, names: list[str], search: Search, stack: ExitStack
    ) -> ComponentInput:
        if not names:
            raise NothingThere(self._nothing_found(name, search))
        parts: list[BinaryIO] = []
        reports: dict[str, FileReport] = {}
        discarded: dict[str, str] = {}
        for file in names:
            key = self.location.prefix + file
            try:
                reports[key], part = self._read_file(name, key, stack)
            except UnusableFile as error:
                discarded[key] = str(error)
                log("input file discarded", Key=key, Reason=str(error))
                continue
            part.seek(0)
            parts.append(part)
        if not parts:
            raise JobFailed(
                f"component '{name}': none of the files for the window {self.window} can be read: "
                f"{_reasons(discarded)}"
            )
        _log_repairs(name, self.window, reports)
        merged = _temporary(stack)
        total = merge_component(parts, list(reports.values()), merged)
        merged.seek(0)
        header = dict.fromkeys(column for report in reports.values() for column in report.header[1:])
        return ComponentInput(
            columns=merged, report=total, header=tuple(header), files=reports, discarded=discarded
        )

    def _read_file(self, name: str, key: str, stack: ExitStack) -> tuple[FileReport, BinaryIO]:
        """Return report and columns of a file.

        When its dates allow both orders of day and month, it has the one that its name agrees with: the month
        first, unless only the day first leads to rows near the window.
        """
        part = _temporary(stack)
        report = self._convert(name, key, part)
        if report.day_month == "ambiguous" and not self._is_near(report):
            swapped = _temporary(stack)
            other = self._convert(name, key, swapped, day_first=True)
            if self._is_near(other):
                return other, swapped
        return report, part

    def _convert(self, name: str, key: str, sink: BinaryIO, *, day_first: bool | None = None) -> FileReport:
        return read_csv_object(
            self.customer,
            self.location.bucket,
            key,
            sink,
            columns=self.columns[name],
            settings=self.settings,
            day_first=day_first,
        )

    def _is_near(self, report: FileReport) -> bool:
        """Return whether a file has rows near the window."""
        start, end = epoch(report.start or ""), epoch(report.end or "")
        return start <= self.window.end + self.reach and end > self.window.start - self.reach

    def _check_columns(self, name: str, component: ComponentInput) -> None:
        present = component.header
        absent = [
            column
            for column in self.columns[name]
            if column not in present and f"{name}\\{column}" not in self.known
        ]
        if absent and not self.settings.partial_inference:
            raise JobFailed(
                f"component '{name}': the files for the window {self.window} have no column {some(absent)}; "
                f"they have {some(present, limit=20)}. The model needs every sensor of its schema under "
                "exactly that name: correct the header of the files"
            )

    def _check_rows(self, name: str, component: ComponentInput) -> None:
        report = component.report
        if not rows_between(component.columns, instant(self.window.start), instant(self.window.end)):
            if component.discarded:
                raise NothingThere(
                    f"component '{name}': files for the window {self.window} cannot be read: "
                    f"{_reasons(component.discarded)}; no row of {some(component.files)} lies in the window"
                )
            raise NothingThere(
                f"component '{name}': no row of {some(component.files)} lies in "
                f"the window {self.window}; the rows go from {report.start} to {report.end}. Timestamps "
                "inside files are UTC, whatever InputTimeZoneOffset says: correct them, or upload the rows "
                "of the window"
            )

    def _nothing_found(self, name: str, search: Search) -> str:
        return (
            f"component '{name}' has no file for the window {self.window}: looked for "
            f"{search.wanted(str(self.location), name)}; {self._near(name, search)}. Upload the file before "
            "the window is inferred (its end plus DataDelayOffsetInMinutes), or correct prefix, delimiter, "
            "timestamp format and time zone offset of the scheduler"
        )

    def _near(self, name: str, search: Search) -> str:
        prefix = self.location.prefix
        for beginning in dict.fromkeys((prefix + name, prefix)):
            try:
                keys = [
                    item.key
                    for item in self.customer.objects(self.location.bucket, beginning, limit=_NEAR_LISTED)
                ]
            except JobFailed:  # the hint is all that is lost
                continue
            if keys:
                return f"found near it: {some(_nearest(keys, prefix, name, search), limit=_SHOWN)}"
        mistake = prefix_mistake(prefix, bucket=self.location.bucket)
        return f"'{self.location}' has no objects" + ("" if mistake is None else f" (Prefix: {mistake})")


def _log_repairs(component: str, window: InferenceWindow, reports: Mapping[str, FileReport]) -> None:
    """Write a line to the log when something was put right in the files of a component."""
    told = [
        f"'{key}': {what}" for key, report in reports.items() for what in (*report.repairs, *report.notes)
    ]
    if told:
        log("input repaired", Component=component, Window=str(window), What=told[:_LOGGED])


def _reasons(discarded: Mapping[str, str]) -> str:
    """Return why files cannot be read, of the first ones."""
    return "; ".join([f"'{key}': {reason}" for key, reason in discarded.items()][:_SHOWN])


def _temporary(stack: ExitStack) -> BinaryIO:
    return stack.enter_context(TemporaryFile())


def _nearest(keys: list[str], prefix: str, name: str, search: Search) -> list[str]:
    """Return the keys, those closest to the search in time first; those without a stamp come last."""
    middle = (search.first + search.last) / 2

    def distance(key: str) -> float:
        stamp = search.stamp(key.removeprefix(prefix), component=name)
        return float("inf") if stamp is None else abs(stamp - middle)

    return sorted(keys, key=distance)
