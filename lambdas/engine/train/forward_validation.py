"""The forward validation: the second half of training, scored by views fitted to the first half."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.features import TRACKED, ViewName
from engine.detect.level_shift import SPAN, corrected_averages, level_weights
from engine.detect.view import row_scores
from engine.train.calibration import calibrate
from engine.train.calibration_data import CalibrationData
from engine.train.fit_settings import FitSettings
from engine.train.sampling import FOLDS

Floats = NDArray[np.float64]

MAX_WIDENING = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardValidation:
    """Result of the forward validation of some views.

    Attributes:
        ratio: fused score over limit of each row, as scoring would compute it, shape (rows,); empty if
            training is too short.
        level_averages: average residual of each output at the end, shape (outputs,) per view: the levels
            that are moving when training ends.

    """

    ratio: Floats
    level_averages: dict[ViewName, Floats]

    @property
    def false_alarms(self) -> float:
        """The share of rows above the limits, which are false alarms that time alone brings."""
        return float((self.ratio > 1).mean()) if len(self.ratio) else 0.0

    def widening(self, quantile: float) -> float:
        """Return the factor by which the limits must widen for this quantile of the rows to lie below them.

        Args:
            quantile: between 0 and 1.

        Returns:
            1 to MAX_WIDENING; 1 if training is too short for the test.

        """
        if not len(self.ratio):
            return 1.0
        return float(np.clip(np.quantile(self.ratio, quantile), 1, MAX_WIDENING))


def forward_validation(
    data: Sequence[CalibrationData], settings: FitSettings, *, average_span: int
) -> ForwardValidation:
    """Score the second half of training by the first half.

    Args:
        data: data of the views, collected together.
        settings: the budget of false alarms, for the limits of the first half.
        average_span: span of the averages of levels, in rows. Of sampled rows it is as many fewer as are not
            sampled, but no fewer than SPAN.

    """
    ratios, level_averages = {}, {}
    span = max(min(average_span, SPAN), int(average_span * data[0].sampled_share))
    for each, calibration in zip(data, calibrate(data, settings, folds=slice(FOLDS // 2)), strict=True):
        later = each.forward_residuals()
        if not len(later):
            return ForwardValidation(ratio=np.zeros(0), level_averages={})
        later /= calibration.scale
        level_averages[each.name] = corrected_averages(later, span)
        if each.name not in TRACKED:
            nothing = np.zeros(later.shape[1])
            weights, _ = level_weights(later, np.ones(len(later), bool), nothing, evaluated=0, span=span)
            if weights is not None:
                later *= weights
        ratios[each.name] = row_scores(np.abs(later, out=later)) / calibration.limit
    return ForwardValidation(ratio=Alarm.closed().fuse(ratios), level_averages=level_averages)
