"""Scores as text: result lines of inference and pointwise diagnostics, in the documented form. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from engine import Scores

_DECIMALS = 5
_TICKS = 10**_DECIMALS


class _Texts(dict[int, str]):
    """The text of a share in hundred-thousandths; there are few different ones, and very many shares."""

    def __missing__(self, ticks: int) -> str:
        self[ticks] = text = repr(ticks / _TICKS)
        return text


def lines(scores: Scores, sensors: tuple[str, ...]) -> Iterator[str]:
    """Yield one line of JSON per row, each ending in a newline.

    Clients parse lines with Python's `eval`: no null, true, false or NaN may occur. Timestamps always carry
    six fraction digits. A row with the machine off has neither score nor diagnostics.
    """
    texts = _Texts()
    diagnostics = [
        text for sensor in sensors for text in (f'}}, {{"name": {json.dumps(sensor)}, "value": ', "")
    ]
    rows = zip(
        scores.times.tolist(),
        scores.off.tolist(),
        scores.prediction.tolist(),
        scores.score.tolist(),
        scores.contributions,
        strict=True,
    )
    for time, off, prediction, score, contributions in rows:
        stamp = time.isoformat(timespec="microseconds")
        if off:
            yield f'{{"timestamp": "{stamp}", "prediction": 0, "prediction_reason": "MACHINE_OFF"}}\n'
            continue
        reason = "ANOMALY_DETECTED" if prediction else "NO_ANOMALY_DETECTED"
        ticks = (contributions.astype("float64") * _TICKS).round().astype("int64").tolist()
        diagnostics[1::2] = map(texts.__getitem__, ticks)
        shares = "".join(diagnostics).removeprefix("}, ")
        yield (
            f'{{"timestamp": "{stamp}", "prediction": {prediction}, "prediction_reason": "{reason}", '
            f'"anomaly_score": {round(score, _DECIMALS)!r}, "diagnostics": [{shares}}}]}}\n'
        )


def named_shares(sensors: Sequence[str], shares: Sequence[float]) -> list[dict[str, Any]]:
    """Return the share of every sensor in an anomaly as the API's `diagnostics`, in schema order."""
    return [{"name": sensor, "value": share} for sensor, share in zip(sensors, shares, strict=True)]
