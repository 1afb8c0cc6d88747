"""The `OffCondition` of a model as the engine applies it."""

from collections.abc import Sequence

from engine import OffCondition
from service.errors import ValidationError
from service.jobs.failure import JobFailed
from service.members.off_rule import OffRule


def off_condition(text: str | None, sensors: Sequence[str]) -> OffCondition | None:
    r"""Read an `OffCondition`; None when the model has none.

    Args:
        text: the member of the model version.
        sensors: every sensor of the model as `component\sensor`.

    Raises:
        JobFailed: when it cannot be used, with the form it must have.
    """
    if text is None:
        return None
    try:
        rule = OffRule.parse(text)
    except ValidationError as error:
        raise _unusable(text, "it must be one comparison with the operator < or >", sensors) from error
    fitting = rule.fitting(sensors)
    if not fitting:
        raise _unusable(text, f"it names the unknown sensor '{rule.sensor}'", sensors)
    if len(fitting) > 1:
        raise _unusable(text, f"several components have a sensor '{rule.sensor}'", sensors)
    return OffCondition(sensor=fitting[0], operator=rule.operator, threshold=rule.threshold)


def _unusable(text: str, problem: str, sensors: Sequence[str]) -> JobFailed:
    return JobFailed(
        f"OffCondition '{text}' cannot be used: {problem}. Write '<component>\\<sensor> < <number>' or '>', "
        f"with a sensor of the model such as '{sensors[0]}', and create the model again"
    )
