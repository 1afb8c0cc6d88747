r"""The grammar of off conditions as a table: `component\sensor < number` or `component\sensor > number`.

Constructs, API and engine are deployed apart, and each reads the text by itself. The tests of each go through
this table, so that what one accepts the others accept too.

- A sensor is named as `component\sensor`, or by its bare name when that is unique.
- Names are what the service model allows as `ComponentName` and `SensorName`: they hold no blank and none of
  `<`, `>` and `=`.
- The operator is `<` or `>`. The number is decimal and finite. White space around the parts has no meaning.

Left out is a name with a doubled backslash, as copied from JSON: constructs and API refuse it, the engine
reads it as a single one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SENSORS = (
    r"pump\speed",
    r"pump\flow",
    r"pump\T:1#2$3.4-5_6",
    r"motor\speed",
    r"motor\2",
    r"Unit-1.a_b\current",
)
"""All sensors of the model: `speed` is in two components, so its bare name is ambiguous."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A condition, and what it says; `sensor` is the whole id."""

    text: str
    sensor: str
    operator: Literal["<", ">"]
    threshold: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition that nothing may accept, for the sensors of a model."""

    text: str
    why: str
    sensors: Sequence[str] = SENSORS


ACCEPTED = (
    Accepted(r"pump\speed < 10", r"pump\speed", "<", 10.0),
    Accepted(r"pump\speed > 10", r"pump\speed", ">", 10.0),
    Accepted(r"motor\speed<10", r"motor\speed", "<", 10.0),
    Accepted("  pump\\flow\t<\n10  ", r"pump\flow", "<", 10.0),
    Accepted("flow > 3", r"pump\flow", ">", 3.0),
    Accepted("2 < 3", r"motor\2", "<", 3.0),
    Accepted(r"pump\T:1#2$3.4-5_6 > 0", r"pump\T:1#2$3.4-5_6", ">", 0.0),
    Accepted(r"Unit-1.a_b\current < 1", r"Unit-1.a_b\current", "<", 1.0),
    Accepted(r"pump\flow < -1", r"pump\flow", "<", -1.0),
    Accepted(r"pump\flow < +1", r"pump\flow", "<", 1.0),
    Accepted(r"pump\flow<-1e3", r"pump\flow", "<", -1000.0),
    Accepted(r"pump\flow > 1.5E-3", r"pump\flow", ">", 0.0015),
    Accepted(r"pump\flow > .5", r"pump\flow", ">", 0.5),
    Accepted(r"pump\flow > 5.", r"pump\flow", ">", 5.0),
)

REFUSED = (
    Refused("", "empty"),
    Refused("off", "no comparison"),
    Refused(r"pump\speed", "no comparison"),
    Refused(r"pump\speed <", "no number"),
    Refused("< 10", "no sensor"),
    Refused(r"10 < pump\speed", "the number comes first"),
    Refused(r"pump\speed <= 10", "not one of the two operators"),
    Refused(r"pump\speed >= 10", "not one of the two operators"),
    Refused(r"pump\speed = 10", "not one of the two operators"),
    Refused(r"pump\speed == 10", "not one of the two operators"),
    Refused(r"pump\speed << 10", "two operators"),
    Refused(r"pump\speed < > 10", "two operators"),
    Refused(r"pump\speed < 10 pump\flow < 1", "two conditions"),
    Refused(r"pump\speed < 10 and pump\flow < 1", "two conditions"),
    Refused(r"1 < pump\speed < 10", "two comparisons"),
    Refused(r"pump\speed < slow", "not a number"),
    Refused(r"pump\speed < nan", "not a number"),
    Refused(r"pump\speed < inf", "not a finite number"),
    Refused(r"pump\speed < 1e999", "not a finite number"),
    Refused(r"pump\speed < 1,5", "a decimal comma"),
    Refused(r"pump\speed < 1_000", "digits in groups"),
    Refused(r"pump\speed < 0x10", "not decimal"),
    Refused(r"pump\speed < 1e", "an exponent without digits"),
    Refused(r"pump\speed < - 1", "a blank within the number"),
    Refused(r"pump\speed < 10 rpm", "a unit"),
    Refused(r"pump\my speed < 1", "a blank in the name of a sensor", (*SENSORS, r"pump\my speed")),
    Refused(r"my pump\speed < 1", "a blank in the name of a component", (*SENSORS, r"my pump\speed")),
    Refused("my speed < 1", "a blank in a bare name", (*SENSORS, r"pump\my speed")),
    Refused(r"pump\a=b < 1", "an equals sign in the name", (*SENSORS, r"pump\a=b")),
    Refused(r"pump \ speed < 1", "blanks around the backslash"),
    Refused("pump/speed < 1", "a slash in place of the backslash"),
    Refused(r"pump\torque < 1", "no sensor of the model"),
    Refused(r"fan\speed < 1", "no component of the model"),
    Refused(r"Pump\Speed < 1", "another case"),
    Refused("torque < 1", "no sensor of the model"),
    Refused("speed < 1", "a bare name of two sensors"),
)
