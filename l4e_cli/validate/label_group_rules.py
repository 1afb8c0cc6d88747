"""Findings about the file of a label group: what its construct or the service would refuse."""

from collections.abc import Iterator, Sequence

from l4e_cli.files.labels import LabelGroupFile
from l4e_cli.files.service_rules import Settings, ValidationError, parse, service_model
from l4e_cli.validate.result import Finding, Severity
from l4e_files.rated_labels import MOST_DESCRIBED, RatedLabel

_OF_THE_REQUEST = {"LabelGroupName": "x", "ClientToken": "x"}
"""What a request that creates a label has besides the label. None is sent."""


def label_group_findings(group: LabelGroupFile, settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the file of a label group.

    Args:
        group: The file.
        settings: The limits of the service that it is meant for.
    """

    def found(rule: str, text: str, severity: Severity = "error") -> Finding:
        return Finding(severity=severity, rule=rule, where=group.name, text=text)

    if group.refused is not None:
        yield found("refused-labels", group.refused)
        return
    for remark in group.remarks:
        yield found("reading", remark)
    if not group.labels:
        yield found(
            "no-label", "it holds no label: a model with this label group learns from none", "warning"
        )
    for most, setting in _limits(settings):
        if len(group.labels) > most:
            beyond = group.labels[most]
            yield found(
                "quota",
                f"{len(group.labels):,} labels, more than the limit of {most:,}: line {beyond.period.line}, "
                f"'{beyond.period.text}', is the first beyond it; leave out labels{setting}",
            )
    refused = [(label, problem) for label in group.labels if (problem := _problem(label)) is not None]
    if refused:
        label, problem = refused[0]
        yield found(
            "refused-labels",
            f"line {label.period.line}: {problem}{_others(len(refused))}; shorten or correct it",
        )
    codes = {label.fault_code for label in group.labels if label.fault_code is not None}
    most_codes = service_model().shape_for("FaultCodes").metadata["max"]
    if len(codes) > most_codes:
        yield found("quota", f"{len(codes)} fault codes, more than the {most_codes} of a group: use fewer")
    twice = _described_twice(group.labels)
    if twice:
        label = twice[0]
        yield found(
            "labels-twice",
            f"line {label.period.line}, '{label.period.text}', says what an earlier line says"
            f"{_others(len(twice))}, which the construct refuses: leave one out",
        )


def _limits(settings: Settings) -> Iterator[tuple[int, str]]:
    """Yield how many labels a group may have at most, and what else can be done about it."""
    if settings.labels_per_group is not None:
        yield settings.labels_per_group, ", or raise the setting labels_per_group of the service"
    if settings.labels_per_group is None or settings.labels_per_group > MOST_DESCRIBED:
        yield MOST_DESCRIBED, ", and create others by the API: an app describes no more"


def _problem(label: RatedLabel) -> str | None:
    """Return why the service would refuse to create a label, by its own rules; None if it would not."""
    members = {
        "StartTime": label.period.start.isoformat(),
        "EndTime": label.period.end.isoformat(),
        "Rating": label.rating,
        "FaultCode": label.fault_code,
        "Equipment": label.equipment,
        "Notes": label.notes,
    }
    shape = service_model().shape_for("CreateLabelRequest")
    try:
        parse(shape, {**_OF_THE_REQUEST, **members})
    except ValidationError as error:
        return str(error)
    return None


def _described_twice(labels: Sequence[RatedLabel]) -> list[RatedLabel]:
    seen, twice = set(), []
    for label in labels:
        said = (
            label.period.start,
            label.period.end,
            label.rating,
            label.fault_code,
            label.equipment,
            label.notes,
        )
        if said in seen:
            twice.append(label)
        seen.add(said)
    return twice


def _others(count: int) -> str:
    return "" if count == 1 else f", and so {count - 1:,} more"
