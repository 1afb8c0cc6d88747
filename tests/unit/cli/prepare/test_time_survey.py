"""What is kept of the times of all rows."""

import numpy as np
import pyarrow as pa

from l4e_cli.prepare.time_survey import SAMPLES_PER_BLOCK, TimeSurvey
from l4e_cli.prepare.times import SHAPES, TimeForm
from l4e_cli.prepare.zone import Localiser


def test_a_survey_keeps_a_few_times_of_a_block_and_not_all() -> None:
    """Else ten gigabytes of rows would not be prepared within one gigabyte of memory."""
    rows = 100_000
    texts = np.datetime_as_string(np.datetime64("2026-03-01T00:00:00") + np.arange(rows)).tolist()
    form = TimeForm(name=SHAPES[0].name, shape=SHAPES[0])
    survey = TimeSurvey(form=form, localiser=Localiser(zone=None))
    survey.add(pa.array(texts))
    (sample,) = survey.samples
    held = sample if sample.base is None else sample.base
    assert survey.read == rows
    assert sample[0] == survey.first
    assert len(sample) <= len(held) <= 2 * SAMPLES_PER_BLOCK
