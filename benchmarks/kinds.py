"""Machines of many kinds: batches, duties, fouling, on and off, wind, stops, poor sensors, counters, states.

`benchmarks.kind_cases` gives them faults. None has an off condition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks import signals
from benchmarks.signals import Floats
from benchmarks.wear import YEAR


@dataclass(frozen=True, slots=True)
class Clock:
    """Random signals of `days` days, a row in `step` minutes."""

    rng: np.random.Generator
    days: int
    step: int

    @property
    def rows(self) -> int:
        """Rows of all days."""
        return self.days * 1440 // self.step

    @property
    def day(self) -> Floats:
        """The time of each row in days; day 0 is a Monday."""
        return np.arange(self.rows) * self.step / 1440

    @property
    def hour(self) -> Floats:
        """The hour of the day of each row."""
        return self.day % 1 * 24

    def noise(self, size: float) -> Floats:
        """Return noise of this size."""
        return size * self.rng.normal(size=self.rows)

    def wander(self, hours: float) -> Floats:
        """Return smooth noise of unit size that forgets within so many hours."""
        span = max(2, int(hours * 60 / self.step))
        return signals.wander(self.rng, self.rows + 3 * span, span)[3 * span :]

    def slow(self, values: Floats, hours: float) -> Floats:
        """Return what follows the values with this time constant."""
        result: Floats = signals.ewma(values[:, None], max(1, int(120 * hours / self.step)))[:, 0]
        return result

    def levels(self, values: Sequence[float], hours: float, least: float = 1) -> Floats:
        """Return a level that jumps between values, after `least` hours and `hours` more on average."""
        result, at = np.empty(self.rows), 0
        while at < self.rows:
            length = max(1, int((least + self.rng.exponential(hours)) * 60 / self.step))
            result[at : at + length] = self.rng.choice(values)
            at += length
        return result

    def weather(self, phase: float, season: float = 9) -> Floats:
        """Return the temperature outside; `phase` is the part of the year at the start, 0 the coldest day."""
        yearly = -season * np.cos(2 * np.pi * (self.day / YEAR + phase))
        return 12 + yearly + 2.5 * self.wander(72) - 3.5 * np.cos(2 * np.pi * (self.hour - 3) / 24)

    def load(self) -> Floats:
        """Return a load of hours, weekdays and orders, about 1."""
        busy = np.where((self.hour > 6) & (self.hour < 21), 1, 0.7) * np.where(self.day % 7 >= 5, 0.75, 1)
        orders = self.slow(busy * self.levels((0.8, 0.9, 1, 1.1), 8), 0.3)
        return np.clip(orders + 0.03 * self.wander(1), 0.2, 1.3)


@dataclass(frozen=True, slots=True)
class Machine:
    """Sensors by name, those that wear, and when each part runs, by the end of the names of its sensors.

    A fault of a part shows while it runs. What is `recorded` is made of the sensors with their faults.
    """

    sensors: Mapping[str, Floats]
    wearing: Sequence[str]
    running: Mapping[str, Floats]
    recorded: Callable[[dict[str, Floats]], None] = lambda _: None


def machine(sensors: Mapping[str, Floats], wearing: str = "") -> Machine:
    """Return a machine that always runs; all its sensors wear unless some are named."""
    return Machine(sensors, wearing.split() or list(sensors), {})


def batches(c: Clock) -> Machine:
    """Return a reactor of three recipes and six phases; coolant and outlet follow the weather."""
    phase, recipe, target, level, heat = (np.zeros(c.rows) for _ in range(5))
    at, weather = 0, c.weather(0.0)
    while at < c.rows:
        kind = int(c.rng.integers(3))
        for number, minutes in enumerate((c.rng.exponential(60) + 10, 30, 50, (90, 120, 180)[kind], 60, 25)):
            rows = slice(at, at + max(1, int(minutes * c.rng.uniform(0.9, 1.15) / c.step)))
            part = np.linspace(0, 1, rows.stop - at)[: max(0, c.rows - at)]
            fill = (0, part, 1, 1, 1, 1 - part)[number]
            phase[rows], recipe[rows], level[rows] = number, kind, (0.6, 0.8, 1)[kind] * fill
            target[rows] = (25, 25, (65, 80, 95)[kind], (65, 80, 95)[kind], 30, 25)[number]
            heat[rows] = c.rng.uniform(0.9, 1.1) * np.exp(-2 * part) * (number == 3)
            at = rows.stop
    hot = c.slow(target, 0.25)
    jacket = c.slow(target + 25 * (phase == 2) - 12 * heat - 15 * (phase == 4), 0.08) + c.noise(0.4)
    stir = (phase > 0) & (phase < 5)
    sensors = {
        "temp": hot + 2 * c.slow(heat, 0.1) + c.noise(0.2),
        "jacket": jacket,
        "pressure": 1 + 0.02 * np.maximum(hot - 40, 0) * level + c.noise(0.01),
        "level": level + c.noise(0.005),
        "power": stir * (2 + 5 * level) + c.noise(0.05),
        "steam": np.clip((jacket - hot) / 30, 0, 1) * (phase == 2) + c.noise(0.01),
        "coolant": 10 + 0.4 * weather + c.noise(0.1),
        "vibration": stir * (0.5 + 0.3 * level) + np.abs(c.noise(0.03)),
        "phase": phase,
        "recipe": recipe,
        "outlet": c.slow(np.where(phase == 5, hot, weather), 0.2) + c.noise(0.2),
    }
    return machine(sensors, "temp jacket pressure power vibration coolant")


def pumps(c: Clock) -> Machine:
    """Return two pumps that change duty every week."""
    first, load, weather = (c.day // 7 % 2 == 0).astype(float), c.load(), c.weather(0.1, 5) + 8
    sensors = {"header": 6 - 1.5 * load**2 + c.noise(0.03), "total": 100 * load + c.noise(0.5)}
    for name, on in (("_a", c.slow(first, 0.05)), ("_b", c.slow(1 - first, 0.05))):
        sensors |= {
            "flow" + name: on * load * 100 + c.noise(0.6),
            "amps" + name: on * (20 + 45 * load**2) + c.noise(0.4),
            "vibration" + name: on * (1 + load) * np.exp(c.noise(0.04)) + 0.08,
            "bearing" + name: c.slow(weather + on * 22 * load, 1) + c.noise(0.25),
        }
    return replace(machine(sensors), running={"_a": first, "_b": 1 - first})


def exchanger(c: Clock) -> Machine:
    """Return a heat exchanger that fouls and is cleaned about once a month, in training too."""
    fouling, at = np.empty(c.rows), 0
    while at < c.rows:
        length = int(c.rng.uniform(26, 34) * 1440 / c.step)
        fouling[at : at + length] = (np.linspace(0, 1, length) ** 0.8)[: c.rows - at]
        at += length
    load, cold, hot = c.load(), c.weather(0.0, 6) + 4, 90 + 3 * c.wander(12)
    heat = 0.7 * (1 - 0.22 * fouling) / (0.6 + 0.4 * load) * load * (hot - cold)
    valve = np.clip(0.25 + heat / 120 + 0.25 * fouling, 0, 1)
    sensors = {
        "hot_in": hot + c.noise(0.2),
        "hot_out": c.slow(hot - heat / load, 0.3) + c.noise(0.25),
        "cold_in": cold + c.noise(0.15),
        "cold_out": c.slow(cold + 0.8 * heat / valve, 0.3) + c.noise(0.25),
        "flow": 60 * load + c.noise(0.4),
        "drop_hot": 0.4 * load**2 * (1 + 0.9 * fouling) + c.noise(0.01),
        "drop_cold": 0.5 * valve**2 * (1 + 0.4 * fouling) + c.noise(0.01),
        "valve": 100 * valve + c.noise(0.3),
        "pump": 12 + 8 * valve**2 + c.noise(0.15),
    }
    return machine(sensors)


def compressor(c: Clock) -> Machine:
    """Return a compressor that is switched by its pressure every few minutes; coarse sensors."""
    need = np.clip(0.25 + 0.45 * c.load() + 0.06 * c.wander(2), 0.1, 0.9)
    pressure, on = np.empty(c.rows), np.empty(c.rows)
    now, runs = 7.0, 1.0
    for at, used in enumerate(need.tolist()):
        now = min(max(now + 0.24 * c.step * (runs - used), 6), 8)
        runs = 0.0 if now > 7.6 else 1.0 if now < 6.6 else runs
        pressure[at], on[at] = now, runs
    room = 18 + 4 * np.sin(2 * np.pi * (c.hour - 9) / 24) + 2 * c.wander(60)
    fine = {
        "pressure": (pressure + c.noise(0.02), 0.1),
        "amps": (np.where(on > 0, 12 + 4 * pressure, 14) + c.noise(0.5), 1),
        "running": (on, 1),
        "oil": (c.slow(room + 45 * on, 0.5) + c.noise(0.2), 1),
        "discharge": (c.slow(room + 60 * on, 0.2) + c.noise(0.3), 1),
        "dew_point": (3 + 0.1 * (room - 18) + 0.3 * c.wander(4), 0.5),
        "room": (room, 0.5),
    }

    def coarse(sensors: dict[str, Floats]) -> None:
        sensors |= {name: np.round(sensors[name] / grain) * grain for name, (_, grain) in fine.items()}

    sensors = {name: values for name, (values, _) in fine.items()}
    return replace(machine(sensors, "amps oil discharge dew_point"), recorded=coarse)


def turbine(c: Clock) -> Machine:
    """Return a wind turbine: a cubic power curve, cut-in, curtailment, a direction that goes round."""
    wind = np.abs(6.8 + 2.2 * c.wander(30) + 1.4 * c.wander(6) + 0.4 * c.wander(0.7))
    limit, turns = c.levels((1, 1, 1, 1, 1, 1, 0.6, 0.4), 30) * 2000, (wind > 3) & (wind < 20)
    free = np.clip((wind - 3) / 8.5, 0, 1) ** 2.6 * 2000
    power, weather = np.where(turns, np.minimum(free, limit), 0), c.weather(0.0)
    load, rotor = power / 2000, np.where(turns, np.clip(6 + power / 160, 6, 15), 0.3)
    sensors = {
        "wind": wind + c.noise(0.25),
        "power": c.slow(power, 0.1) * (1 + c.noise(0.015)) + c.noise(4),
        "pitch": np.where(turns, np.clip((free - power) / 100, 0, 25) + np.clip(wind - 11.5, 0, 12), 80),
        "rotor": rotor + c.noise(0.05),
        "gear_oil": c.slow(np.clip(weather * 0.3 + 32 + 28 * load, 20, 65), 0.8) + c.noise(0.3),
        "gear_bearing": c.slow(weather * 0.3 + 34 + 34 * load, 0.7) + c.noise(0.4),
        "winding": c.slow(weather * 0.6 + 30 + 65 * load**1.5, 0.5) + c.noise(0.5),
        "main_bearing": c.slow(weather * 0.7 + 14 + rotor, 2) + c.noise(0.2),
        "outside": weather + c.noise(0.2),
        "direction": (200 + 60 * c.wander(40) + 25 * c.wander(5)) % 360,
        "limit": limit,
    }
    return machine(sensors, "gear_oil gear_bearing winding main_bearing")


def gearbox(c: Clock) -> Machine:
    """Return a gearbox with log-normal vibration that has heavy tails."""
    load, weather = c.load(), c.weather(0.2)
    oil, speed = c.slow(weather * 0.5 + 35 + 22 * load, 1.2), 900 + 300 * load + 20 * c.wander(1)
    sensors = {
        "load": load * 100 + c.noise(1.5),
        "speed": speed + c.noise(4),
        "oil": oil + c.noise(0.3),
        "outside": weather + c.noise(0.3),
        "bearing_1": c.slow(oil + 8 * load, 0.5) + c.noise(0.4),
        "bearing_2": c.slow(oil + 5 * load, 0.5) + c.noise(0.4),
    }
    for at in range(6):
        tails = 0.07 * np.clip(c.rng.standard_t(3, c.rows), -12, 12)
        usual = (speed / 1100) ** c.rng.uniform(1, 2.5)
        sensors[f"vibration_{at}"] = usual * np.exp(c.noise(0.18) + tails + 0.06 * c.wander(1))
    return machine(sensors)


def chiller(c: Clock) -> Machine:
    """Return a chiller whose second compressor starts in the warmth; trained from winter on."""
    weather, office = c.weather(0.05, 10), (c.hour > 7) & (c.hour < 19) & (c.day % 7 < 5)
    need = 0.15 + 0.03 * np.maximum(weather - 8, 0) + 0.25 * c.slow(office.astype(float), 0.7)
    need = np.clip(need + 0.03 * c.wander(2), 0.1, 1.2)
    second, condenser = need > 0.65, c.slow(np.maximum(weather, 12) + 9 + 7 * need, 0.3)
    lift = 1 + 0.012 * (condenser - 25)
    sensors = {
        "outside": weather + c.noise(0.2),
        "supply": 6.5 + 2.4 * np.clip(need - 0.9, 0, 1) + 0.15 * c.wander(0.5) + c.noise(0.08),
        "condenser": condenser + c.noise(0.25),
        "discharge": 6 + 0.25 * condenser + c.noise(0.08),
        "suction": 3.2 - 0.4 * need + c.noise(0.03),
        "amps_1": 30 + 60 * np.where(second, need * 0.6, need) * lift + c.noise(0.8),
        "amps_2": second * (25 + 40 * need * lift) + c.noise(0.8),
        "fans": 100 * np.clip((weather - 6) / 22 + 0.2 * need, 0.1, 1) + c.noise(0.8),
        "stage": np.where(second, 2.0, 1.0),
        "oil": c.slow(condenser + 15 + 10 * need, 0.6) + c.noise(0.3),
        "flow": 40 + 25 * need + c.noise(0.4),
    }
    return machine(sensors, "condenser discharge suction amps_1 oil flow")


def packaging(c: Clock) -> Machine:
    """Return a line of steps of speed that stands still at nights and weekends."""
    shift = (c.hour >= 6) & (c.hour < 22) & (c.day % 7 < 5)
    speed = np.where(shift, c.levels((0, 0.6, 0.8, 0.8, 1, 1, 1.2), 2.5, 0.2), 0)
    real, room = c.slow(speed, 0.03), 20 + 3 * np.sin(2 * np.pi * (c.hour - 10) / 24) + 1.5 * c.wander(50)
    moves = (real > 0.03).astype(float)
    sensors = {
        "speed": speed * 100,
        "amps_main": moves * (3 + 9 * real + 2 * real**2) + c.noise(0.1),
        "amps_seal": 0.2 + moves * (2 + 4 * real) + c.noise(0.08),
        "seal": c.slow(np.where(shift, 150 + 10 * real, 30), 0.4) + c.noise(0.5),
        "gear": c.slow(room + 18 * real, 0.7) + c.noise(0.2),
        "air": np.where(shift, 6.2 - 0.4 * real, 6.5) + 0.05 * c.wander(1) + c.noise(0.02),
        "vibration": 0.1 + 1.1 * real**1.5 * np.exp(c.noise(0.08)),
        "vacuum": moves * (0.05 * real - 0.6) + c.noise(0.01),
        "room": room + c.noise(0.1),
        "rejects": c.rng.poisson(2 * real + 0.02) * 1.0,
    }
    return replace(machine(sensors, "amps_main seal gear air vibration vacuum"), running={"": moves})


def furnace(c: Clock) -> Machine:
    """Return a furnace whose wall and roof lag by half a day and follow weather that nobody measures."""
    set_point, load = c.levels((820, 850, 850, 880, 900), 40, 8), np.clip(0.7 + 0.2 * c.wander(6), 0.2, 1.1)
    weather, sensors = c.weather(0.3, 6) + 10, {"set_point": set_point, "throughput": load + c.noise(0.01)}
    zones = [c.slow(set_point + by, hours) for by, hours in ((-40, 1), (0, 0.7), (5, 0.9), (-15, 1.4))]
    gas = [0.5 * (zone - 100) / 750 + 0.35 * load + 0.004 * (set_point - zone) for zone in zones]
    for at, (zone, flow) in enumerate(zip(zones, gas, strict=True)):
        sensors[f"zone_{at}"] = zone + 2 * c.wander(1) + c.noise(0.8)
        sensors[f"gas_{at}"] = 100 * flow + c.noise(1)
    sensors |= {
        "wall": c.slow(0.12 * zones[1] + 0.8 * weather, 14) + c.noise(0.3),
        "roof": c.slow(0.25 * zones[2] + 0.5 * weather, 24) + c.noise(0.5),
        "flue": c.slow(200 + 45 * np.sum(gas, axis=0), 3) + c.noise(1.5),
        "oxygen": 3 + 0.4 * c.wander(3) + c.noise(0.1),
    }
    return machine(sensors, "zone_1 wall roof flue gas_2 oxygen")


def plain(c: Clock, count: int) -> Machine:
    """Return sensors that follow load, weather and feed in lines."""
    causes = np.stack([4 * (c.load() - 0.8), (c.weather(0.1) - 12) / 8, c.wander(10)], axis=1)
    sensors = {}
    for at in range(count):
        follows = c.slow(causes @ (c.rng.normal(size=3) * (c.rng.random(3) < 0.75) + 0.15), 0.3)
        own = c.rng.uniform(0.1, 0.3) * c.wander(2) + c.noise(0.08)
        sensors[f"s{at}"] = 50 + 10 * (follows + own)
    return machine(sensors)


def poor(c: Clock) -> Machine:
    """Return sensors that are held for 10 and 60 minutes, cut off, coarse, silent, stuck, with spikes."""

    def recorded(sensors: dict[str, Floats]) -> None:
        for name, rows in (("s0", 10), ("s1", 60)):
            sensors[name] = np.repeat(sensors[name][::rows], rows)[: c.rows]
        sensors["s2"] = np.clip(sensors["s2"], *np.quantile(sensors["s2"], (0.05, 0.9)))
        sensors["s3"] = np.round(sensors["s3"] / 5) * 5
        for name in ("s4", "s5"):
            for start in c.rng.integers(0, c.rows - 400, c.days // 3):
                stop = start + int(np.exp(c.rng.uniform(1.6, 5.9)))
                sensors[name][start:stop] = np.nan if name == "s4" else sensors[name][start]
        spikes = c.rng.random(c.rows) < 0.0005
        sensors["s6"][spikes] = c.rng.choice([0.0, 100.0, -999.0], spikes.sum())

    return replace(plain(c, 8), recorded=recorded)


def twins(c: Clock) -> Machine:
    """Return a machine with two sensors of one quantity."""
    same = plain(c, 6)
    twins = {name: same.sensors["s1"] + c.noise(1.5) for name in ("a", "b")}
    return machine(dict(same.sensors) | twins)


def counters(c: Clock) -> Machine:
    """Return a machine with hours, energy of the month, strokes of the day, and sensors that hardly move."""
    same = plain(c, 6)
    total = np.cumsum(np.clip((same.sensors["s0"] - 30) / 30, 0.1, 2) * c.step)
    more = {
        name: total - total[np.searchsorted(at, at)]
        for name, at in (("energy", c.day // 30.4), ("strokes", c.day // 1))
    }
    more |= {
        "hours": 12000.0 + c.day * 24,
        "set_point": c.levels((40, 45, 50), 200, 50),
        "hardly": np.where(c.rng.random(c.rows) < 0.002, 6.1, 6.0),
        "never": np.full(c.rows, 4.0),
    }
    return Machine(dict(same.sensors) | more, list(same.sensors), {})


def states(c: Clock) -> Machine:
    """Return a machine with a mode, a heater, a valve and a door: sensors of two or three values."""
    same = plain(c, 6)
    mode, heater = c.levels((0, 1, 1, 2), 12), (c.wander(0.5) > 0.5).astype(float)
    sensors = dict(same.sensors)
    for name, by in (("s1", 6), ("s2", -4), ("s3", 8)):
        sensors[name] = sensors[name] + by * c.slow(mode, 0.3)
    sensors["s4"] = sensors["s4"] + 5 * c.slow(heater, 0.3)
    door = (c.rng.random(c.rows) < 0.01).astype(float)
    more = {"mode": mode, "heater": heater, "valve": 1.0 * (mode == 2), "door": door}
    return Machine(sensors | more, list(sensors), {})


def two(c: Clock) -> Machine:
    """Return a power and a temperature, which follows weather that nobody measures."""
    load = c.load()
    heat = 20 + 35 * load**1.3 + 0.3 * (c.weather(0.1) - 12)
    return machine({"power": 60 * load**1.5 + c.noise(0.8), "heat": c.slow(heat, 1) + c.noise(0.4)})


def campaigns(c: Clock) -> Machine:
    """Return a machine of eight products, each made for one to several days."""
    same, product = plain(c, 9), c.levels(range(8), 80, 24).astype(int)
    effects = c.rng.normal(size=(9, 8)) * 9
    moved = zip(same.sensors.items(), effects, strict=True)
    return machine({name: values + c.slow(effect[product], 0.4) for (name, values), effect in moved})


KINDS: dict[str, tuple[Callable[[Clock], Machine], int, int]] = {
    "batch reactor": (batches, 5, 90),
    "pumps, duty by week": (pumps, 5, 120),
    "heat exchanger, cleaned monthly": (exchanger, 5, 150),
    "compressor, on and off": (compressor, 1, 60),
    "wind turbine": (turbine, 10, 180),
    "gearbox, heavy tails": (gearbox, 5, 90),
    "chiller, from winter on": (chiller, 5, 180),
    "packaging line, stops": (packaging, 5, 90),
    "furnace, weather not measured": (furnace, 5, 120),
    "poor sensors": (poor, 1, 60),
    "twin sensors": (twins, 5, 90),
    "counters": (counters, 5, 90),
    "states": (states, 5, 90),
    "two sensors, weather not measured": (two, 5, 60),
    "sixty sensors": (partial(plain, count=60), 5, 120),
    "campaigns": (campaigns, 5, 120),
}
"""Per kind its maker, minutes between rows, and days of training."""
