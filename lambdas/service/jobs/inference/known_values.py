"""The last value of each sensor: as remembered from earlier windows, and as the files of a window hold it."""

from collections.abc import Collection, Mapping

from engine import last_values
from service.jobs.inference.input_files import ComponentInput
from service.jobs.times import instant, seconds_of

LastValues = Mapping[str, tuple[float, float]]
"""Value and time (epoch seconds) of each sensor, `component\\sensor`."""


def values_in_files(
    components: Mapping[str, ComponentInput],
    sensors: Collection[str],
    *,
    until: int,
    step_seconds: int | None,
) -> LastValues:
    """Return the last value of each sensor in the rows up to `until` (epoch seconds), inclusive."""
    found: dict[str, tuple[float, float]] = {}
    for name, component in components.items():
        names = [sensor.partition("\\")[2] for sensor in sensors if sensor.startswith(f"{name}\\")]
        last = last_values(component.columns, names, end=instant(until), step_seconds=step_seconds)
        found |= {f"{name}\\{sensor}": (each.value, seconds_of(each.time)) for sensor, each in last.items()}
    return found


def newer(remembered: LastValues, read: LastValues) -> LastValues:
    """Return the newer value of each sensor; of equally old ones the one that was read now."""
    kept = {
        sensor: last for sensor, last in remembered.items() if sensor not in read or last[1] > read[sensor][1]
    }
    return {**remembered, **read, **kept}
