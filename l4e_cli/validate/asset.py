"""What `assets.toml` says about the data of an asset. The app checks the whole file in its synthesis."""

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l4e_cli.errors import CliError
from l4e_cli.files.service_rules import Settings
from l4e_cli.interval import Interval

_SECONDS = {"S": 1, "M": 60, "H": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What an asset declares.

    Attributes:
        name: Its name, with which the keys of its files begin.
        columns: The sensors of each component.
        training: The training window.
        evaluation: The evaluation window, if there is one.
        labelled: Whether it has label files.
        label_group: The file with the labels of its label group, if it has one.
        step: The time between rows after resampling; None keeps that of the data.
        settings: The limits of the service that it is deployed with.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    training: Interval
    evaluation: Interval | None
    labelled: bool
    label_group: Path | None
    step: np.timedelta64 | None
    settings: Settings

    @property
    def windows(self) -> list[Interval]:
        """The windows that there are."""
        return [self.training] if self.evaluation is None else [self.training, self.evaluation]


def read_asset(file: Path, name: str) -> Asset:
    """Return an asset of an `assets.toml`.

    Raises:
        CliError: when the file or the asset is not there, or what it says of its data cannot be read.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CliError(f"{str(file)!r} does not exist: name the file with --assets-file") from None
    except OSError as error:
        raise CliError(
            f"{str(file)!r} cannot be read ({error.strerror}): name the file with --assets-file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CliError(f"{str(file)!r} is not a TOML file: {error}") from None
    assets = content.get("assets", {})
    if name not in assets:
        raise CliError(f"{str(file)!r} has no [assets.{name}]: it has {', '.join(assets) or 'no assets'}")
    body = assets[name]
    try:
        return Asset(
            name=name,
            columns={component: tuple(sensors) for component, sensors in body["sensors"].items()},
            training=_period(body["training"]),
            evaluation=_period(body["evaluation"]) if "evaluation" in body else None,
            labelled=bool(body.get("labelled", False)),
            label_group=file.parent / body["label_group"] if "label_group" in body else None,
            step=_step(body.get("target_sampling_rate")),
            settings=_settings(content.get("service", {}).get("limits", {})),
        )
    except KeyError as error:
        why = "what is imported has no files here" if "imported" in body else "`l4e up` needs it as well"
        raise CliError(f"{str(file)!r}: [assets.{name}] has no {error}: {why}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise CliError(f"{str(file)!r}: [assets.{name}] cannot be read: {error}") from error


def _period(body: Mapping[str, Any]) -> Interval:
    return Interval(start=_instant(body["start"]), end=_instant(body["end"]))


def _instant(time: dt.datetime) -> np.datetime64:
    if not isinstance(time, dt.datetime) or time.tzinfo is None:
        raise ValueError(f"{time} is not a time with zone, such as 2026-01-01T00:00:00Z (no quotes)")
    return np.datetime64(time.astimezone(dt.UTC).replace(tzinfo=None), "us")


def _step(rate: str | None) -> np.timedelta64 | None:
    return None if rate is None else np.timedelta64(int(rate[2:-1]) * _SECONDS[rate[-1]], "s")


def _settings(limits: Mapping[str, Any]) -> Settings:
    return Settings.from_json(json.dumps({key: value or None for key, value in limits.items()}))
