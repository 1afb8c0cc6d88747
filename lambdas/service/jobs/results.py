"""Result lines of inference and pointwise diagnostics, in the documented form (11.4), byte for byte. Pure."""

import json
from collections.abc import Iterator

from engine import Scores

_DECIMALS = 5


def lines(scores: Scores, sensors: tuple[str, ...]) -> Iterator[str]:
    """One line of JSON per row, each ending in a newline.

    Clients parse lines with Python's ``eval``: no null, true, false or NaN may occur. Timestamps always carry
    six fraction digits. A row with the machine off has neither score nor diagnostics.
    """
    names = [f'{{"name": {json.dumps(sensor)}, "value": ' for sensor in sensors]
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
        shares = ", ".join(
            f"{name}{round(share, _DECIMALS)!r}}}"
            for name, share in zip(names, contributions.astype("float64").tolist(), strict=True)
        )
        yield (
            f'{{"timestamp": "{stamp}", "prediction": {prediction}, "prediction_reason": "{reason}", '
            f'"anomaly_score": {round(score, _DECIMALS)!r}, "diagnostics": [{shares}]}}\n'
        )
