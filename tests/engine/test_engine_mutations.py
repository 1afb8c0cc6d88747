"""Broken engines: the tests must catch every one of them, or they prove nothing.

Each bug is a line of the engine changed into one that somebody might write. It is planted into the function
in this process, and the named test of the suite must fail. Without the bug, the same test must pass.
"""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FunctionType

import pytest

from engine.detect.additive_model import Additive
from engine.detect.alarm import Alarm, _confirmed
from engine.detect.baseline import Baseline
from engine.detect.ensemble import _weighted, evaluate_views
from engine.detect.level_shift import _pace
from engine.detect.pipeline import Pipeline
from engine.detect.rare_states import RareStates, state_distance
from engine.detect.slow_alarm import SlowAlarm
from engine.detect.slow_drift import SlowDrift, SlowRatios, along, bin_scores
from engine.detect.smoothing import newest_largest
from engine.detect.time_bins import Grid
from engine.detect.trained_states import TrainedStates, confirmed_states
from engine.detect.view import View, row_scores
from engine.evaluate.evaluation import _touches, evaluate, ranges
from engine.evaluate.events import EventRules, _joined, _same_lead
from engine.evaluate.faults import Faults
from engine.evaluate.intervals import merge_intervals, rows_inside
from engine.evaluate.roc import roc_auc
from engine.explain.sentence import _duration, _number, _percent, _short_name, _too_often
from engine.frame.build import build_frame
from engine.frame.component_reader import FrameWindow, right_edges
from engine.frame.excursions import _rows_on_one_side, limit_excursions
from engine.frame.filling import FilledColumn, _stays, usual_limit
from engine.frame.last_values import last_values
from engine.frame.observed_rows import ObservedRows, observed_rows, overlay_component
from engine.frame.off_condition import OffCondition
from engine.frame.segments import segments
from engine.frame.transpose import transposed, transposed_parts
from engine.ingest.cells import BlockReader
from engine.ingest.changed_units import _two_ranges, changed_units, levels_in_time
from engine.ingest.clock_columns import ClockColumns, common_clock
from engine.ingest.convert import _Reading
from engine.ingest.duplicates import DuplicateCount
from engine.ingest.far_rows import decade_gap, far_rows
from engine.ingest.file_levels import alike
from engine.ingest.file_report import Tally, _above, _require_width
from engine.ingest.line_repair import _fit_to_width, row_lines
from engine.ingest.local_time import RepeatedHours, _after_skipped, _is_changed_hour
from engine.ingest.merge import merge_component
from engine.ingest.number_columns import _parse_odd
from engine.ingest.odd_cells import take_out_odd_cells
from engine.ingest.ordered import Overlap, _merge, _take_last
from engine.ingest.passes import Passes
from engine.ingest.renamed_columns import _one_after_the_other, renamed_columns
from engine.ingest.statistics import RunningStatistics
from engine.ingest.timestamp_columns import TimestampReader, _calendar_micros
from engine.train.bends import _lines_and_curves, unexplained
from engine.train.calibration import column_quantile
from engine.train.calibration_data import taken
from engine.train.chance import counted
from engine.train.few_days import few_days
from engine.train.fit import _with_level, fit
from engine.train.fit_settings import FitSettings
from engine.train.known_drift import with_known_drift
from engine.train.known_faults import _Known, without_known_faults
from engine.train.level_spans import memory_span
from engine.train.outermost import _growth
from engine.train.returning_states import came_back
from engine.train.row_runs import joined_runs, longest_stretches, with_margin
from engine.train.sampling import sample_strips, time_folds
from engine.train.silence import Silence, _silent
from engine.train.slow_fit import _Blocks, _walk, trusted
from engine.train.state_errors import state_errors
from tests.engine import (
    test_additive_model,
    test_alarm,
    test_artefact,
    test_baseline,
    test_evaluation,
    test_events,
    test_fast_rows,
    test_faults,
    test_intervals,
    test_known_drift,
    test_known_faults,
    test_level_shift,
    test_notices,
    test_outermost,
    test_rare_states,
    test_rated_periods,
    test_row_runs,
    test_seldom_open,
    test_sentence,
    test_short_trainings,
    test_silence,
    test_slow_drift,
    test_trained_states,
    test_training_rows,
    test_view,
)
from tests.engine.frame import (
    test_build,
    test_excursions,
    test_filling,
    test_last_values,
    test_observed_rows,
    test_segments,
)
from tests.engine.ingest import (
    test_changed_units,
    test_clock_columns,
    test_convert,
    test_far_rows,
    test_local_time,
    test_merge,
    test_odd_cells,
    test_passes,
    test_renamed_columns,
    test_repairs,
    test_timestamps,
)


@dataclass(frozen=True)
class Bug:
    """A bug: in a function, text that becomes other text; and the test that should fail then."""

    where: Callable[..., object]
    right: str
    wrong: str
    caught_by: Callable[..., None]
    arguments: tuple[object, ...] = ()

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        """Change the code of the function for all who hold it."""
        function = inspect.unwrap(self.where)
        assert isinstance(function, FunctionType)
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(self.right) == 1, f"{self.right!r} is not once in:\n{source}"
        module = compile(source.replace(self.right, self.wrong), inspect.getfile(function), "exec")
        codes = [each for each in module.co_consts if isinstance(each, CodeType)]
        (code,) = [each for each in codes if each.co_name == function.__name__]
        patch.setattr(function, "__code__", code)

    def check(self) -> None:
        """Run the test."""
        self.caught_by(*self.arguments)


def case(test: Callable[..., None], **wanted: object) -> tuple[object, ...]:
    """Return the parameters of a case of a test, by its id or by its place."""
    mark, *_ = test.pytestmark  # type: ignore[attr-defined]  # the one next to the function
    values = mark.args[1][mark.kwargs["ids"].index(wanted["id"]) if "id" in wanted else wanted["at"]]
    return tuple(values) if isinstance(mark.args[0], tuple) else (values,)


BUGS = {
    # evaluate
    "touching labels are not joined": Bug(
        merge_intervals,
        "start <= merged",
        "start < merged",
        test_intervals.test_labels_that_overlap_or_touch_are_one,
        case(test_intervals.test_labels_that_overlap_or_touch_are_one, id="touching"),
    ),
    "a label inside another one ends it": Bug(
        merge_intervals,
        "max(merged[-1][1], end)",
        "end",
        test_intervals.test_labels_that_overlap_or_touch_are_one,
        case(test_intervals.test_labels_that_overlap_or_touch_are_one, id="one inside"),
    ),
    "the last row of a label is outside": Bug(
        rows_inside,
        'margin, "right"',
        'margin, "left"',
        test_intervals.test_both_ends_of_an_interval_are_inside,
        case(test_intervals.test_both_ends_of_an_interval_are_inside, id="none"),
    ),
    "an alarm goes on over a gap": Bug(
        ranges,
        "| (np.diff(scores.times[rows]) > step)",
        "",
        test_evaluation.test_ranges_split_at_normal_off_and_gap,
    ),
    "the warning time begins at the last alarm": Bug(
        evaluate, "hits[0]", "hits[-1]", test_evaluation.test_evaluation_counts
    ),
    "an alarm that touches the end of a label is unknown": Bug(
        _touches,
        "found.start <= end",
        "found.start < end",
        test_evaluation.test_an_alarm_at_either_end_of_a_label_is_no_unknown_one,
        ((0, 2),),
    ),
    "an alarm that touches the start of a label is unknown": Bug(
        _touches,
        "found.end >= start",
        "found.end > start",
        test_evaluation.test_an_alarm_at_either_end_of_a_label_is_no_unknown_one,
        ((3, 6),),
    ),
    "labels half outside the window count": Bug(
        evaluate,
        "if start >= scores.times[0] - step and end",
        "if end",
        test_evaluation.test_overlapping_labels_merge_and_outside_ones_do_not_count,
    ),
    "equal scores count as a wrong order": Bug(
        roc_auc, "(counts - 1) / 2", "(counts - 1)", test_evaluation.test_auc_is_the_share_of_ordered_pairs
    ),
    "ranges exactly at the distance stay apart": Bug(
        EventRules._near,
        "<= self.join",
        "< self.join",
        test_events.test_ranges_at_most_the_distance_apart_are_one,
        (5, 1),
    ),
    "two faults of different sensors are one": Bug(
        _same_lead,
        ">= NAMED_SHARE",
        ">= 0",
        test_events.test_two_faults_stay_two_though_each_comes_and_goes,
    ),
    "one of two faults may lead both": Bug(
        _same_lead,
        "min(",
        "max(",
        test_events.test_a_fault_is_one_event_through_its_pauses,
        (test_events.hours(0, 90, 0.86), test_events.hours(100, 190, 0.4), 2),
    ),
    "blips make a long event": Bug(
        EventRules._one_fault,
        "min(usual, self.longest_pause)",
        "self.longest_pause",
        test_events.test_a_fault_is_one_event_through_its_pauses,
        (test_events.hours(0, 1, 1.0), test_events.hours(26, 27, 1.0), 2),
    ),
    "a fault that comes back after a repair is the same one": Bug(
        EventRules._one_fault,
        "min(usual, self.longest_pause)",
        "usual",
        test_events.test_a_fault_is_one_event_through_its_pauses,
        (test_events.hours(0, 90, 1.0), test_events.hours(150.5, 240, 1.0), 2),
    ),
    "what grew out of first signs does not reach back to them": Bug(
        EventRules.so_far,
        "while len(joined",
        "if len(joined",
        test_events.test_first_signs_belong_to_what_grows_out_of_them,
    ),
    "blips lengthen an event": Bug(
        EventRules.counts,
        "event.rows >= self.min_rows",
        "event.rows > 0",
        test_events.test_blips_do_not_lengthen_an_event,
    ),
    "a blip is forgotten before it has grown": Bug(
        EventRules.so_far,
        "*near[-1:]",
        "*filter(self.counts, near[-1:])",
        test_faults.test_one_fault_begins_once,
        ([test_faults.alarm(0, 30)], [25], [0], [1]),
    ),
    "what grows out of a blip begins no fault": Bug(
        Faults.began_since,
        "before.counted",
        "before.known",
        test_faults.test_one_fault_begins_once,
        ([test_faults.alarm(0, 30)], [25], [0], [1]),
    ),
    "faults are never forgotten": Bug(
        Faults.followed,
        "if event.end >= reach",
        "",
        test_faults.test_what_has_ended_for_good_is_forgotten,
    ),
    "faults never end": Bug(
        Faults.until,
        "if each.event.end >= reach",
        "",
        test_faults.test_a_fault_has_ended_once_nothing_can_be_part_of_it,
    ),
    "what becomes part of another fault has ended": Bug(
        Faults.ended_since,
        "fault.includes(each.event.start)",
        "fault.event.start == each.event.start",
        test_faults.test_a_fault_that_becomes_part_of_another_has_not_ended,
    ),
    "faults of sensors that are gone go on": Bug(
        Faults.ended_since,
        "before.sensors != self.sensors",
        "False",
        test_faults.test_faults_of_sensors_that_are_gone_have_ended,
    ),
    "a fault counts its latest part only": Bug(
        Faults._fault,
        "sum(each.parts for each in earlier) + ",
        "",
        test_faults.test_one_fault_begins_once,
        ([test_faults.alarm(0, 60), test_faults.alarm(1440, 60)], [25], [0], [2]),
    ),
    "joined ranges have equal weight": Bug(
        _joined,
        "(first.rows * first.contributions + second.rows * second.contributions) / rows",
        "(first.contributions + second.contributions) / 2",
        test_events.test_near_ranges_join_and_short_ones_are_dropped,
    ),
    # detect
    "a single row alarms": Bug(
        _confirmed,
        "np.minimum(largest, each)",
        "each",
        test_alarm.test_a_single_row_does_not_alarm,
        (24.0,),
    ),
    "an open alarm flickers": Bug(
        Alarm._hold,
        "held = float(smoothed[at]) / (1 - spare * opened)",
        "held = float(smoothed[at])",
        test_alarm.test_an_open_alarm_does_not_flicker_but_closes,
    ),
    "a view remembers a fault that is over": Bug(
        Alarm.fuse,
        "if view in MEMORY_ROWS:",
        "if view not in ratios:",
        test_alarm.test_what_only_memory_still_sees_is_over_soon,
        ("window",),
    ),
    "what the lag view did not see is muted": Bug(
        Alarm.fuse,
        "calm * ramp(seen, SEEN_SHARE, 1)",
        "calm",
        test_alarm.test_what_the_lag_view_did_not_see_is_not_muted,
        (test_alarm.calm(60),),
    ),
    "the memory of the alarm ends with the window": Bug(
        Alarm.fuse,
        "self.fused = rows[-len(self.fused) :].copy()",
        "pass",
        test_alarm.test_an_alarm_that_opens_over_the_end_of_a_window,
    ),
    "fast rows forget a level within hours": Bug(
        memory_span,
        "max(SPAN, min(minutes, rows // FOLDS))",
        "SPAN",
        test_fast_rows.test_levels_are_remembered_for_33_hours_or_2000_rows_if_training_is_long_enough,
        (604_800, 1, 100_800),
    ),
    "fast rows remember for longer than training tells": Bug(
        memory_span,
        "min(minutes, rows // FOLDS)",
        "minutes",
        test_fast_rows.test_levels_are_remembered_for_33_hours_or_2000_rows_if_training_is_long_enough,
        (20_000, 1, 3333),
    ),
    # frame
    "a row at the start of a window is in it": Bug(
        FrameWindow.rows,
        'self.start, "right"',
        'self.start, "left"',
        test_build.test_window_is_open_at_the_start_and_closed_at_the_end,
    ),
    "an edge belongs to the bucket after it": Bug(
        right_edges,
        "(-(-micros // step) * step)",
        "((micros // step + 1) * step)",
        test_build.test_buckets_hold_means_and_are_labelled_by_their_right_edge,
    ),
    "values are filled too short a time": Bug(
        FilledColumn.within,
        "> limit",
        ">= limit",
        test_build.test_fill_limit_leaves_stale_values_missing,
    ),
    "an outage is filled with the value before it": Bug(
        build_frame,
        "usual_limit(column, times)",
        "None",
        test_filling.test_a_sensor_of_every_row_has_no_value_in_an_outage,
    ),
    "a sensor that reports seldom has no value in between": Bug(
        usual_limit,
        "PAUSES * usual",
        "usual // 2",
        test_filling.test_a_sensor_that_reports_seldom_has_its_last_value_in_between,
    ),
    "a sensor that is silent every night fails every night": Bug(
        usual_limit,
        "(len(longer) - 1) * AGAIN > whole or",
        "",
        test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so,
        case(test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so, id="nights"),
    ),
    "time without any row is a pause": Bug(
        usual_limit,
        " & (np.diff(reports) > 1)",
        "",
        test_filling.test_time_without_any_row_is_no_pause,
    ),
    "a valve that is closed for days fails": Bug(
        _stays,
        "share < QUIET_SHARE",
        "True",
        test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so,
        case(test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so, id="valve"),
    ),
    "a sensor that failed for long reports on change": Bug(
        _stays,
        "STAYED * (high - low)",
        "2 * (high - low)",
        test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so,
        case(test_filling.test_longer_pauses_are_failures_unless_it_is_recorded_so, id="back"),
    ),
    "a machine is on when its sensor is silent": Bug(
        build_frame,
        "off.holds(filled.values)",
        "off.holds(filled.within(limit))",
        test_filling.test_whether_a_machine_is_off_is_asked_of_the_latest_value_however_old,
    ),
    "a value from before the rows is new": Bug(
        FilledColumn.of.__func__,  # type: ignore[attr-defined]
        "before.time",
        "times[0]",
        test_filling.test_a_value_from_before_the_rows_is_as_old_as_it_is,
        (-3, 0),
    ),
    "a value at the threshold is off": Bug(
        OffCondition.holds,
        "values < self",
        "values <= self",
        test_build.test_rows_are_off_by_the_latest_value,
    ),
    "a frame begins before every sensor has a value": Bug(
        build_frame,
        "first = 0 if carry else first",
        "first = 0",
        test_build.test_union_of_stamps_is_filled_forward_and_starts_when_all_have_a_value,
    ),
    "the last value of a window is not looked at": Bug(
        last_values,
        'end, "right"',
        'end, "left"',
        test_last_values.test_the_last_value_up_to_a_time,
        case(test_last_values.test_the_last_value_up_to_a_time, at=1),
    ),
    "rows after the machine was off go on": Bug(
        segments,
        "apart = (on[1:] - on[:-1] > 1) | ",
        "apart = ",
        test_segments.test_runs_end_at_gaps_and_where_the_machine_is_off,
        case(test_segments.test_runs_end_at_gaps_and_where_the_machine_is_off, id="off between"),
    ),
    "rows long after the last window go on": Bug(
        segments,
        "and times[0] - last <= gap",
        "",
        test_segments.test_runs_end_at_gaps_and_where_the_machine_is_off,
        case(test_segments.test_runs_end_at_gaps_and_where_the_machine_is_off, id="too late"),
    ),
    # ingest
    "of equal timestamps the first row is kept": Bug(
        _take_last,
        "last = np.append(ordered[1:] != ordered[:-1], [True])",
        "last = np.append([True], ordered[1:] != ordered[:-1])",
        test_merge.test_rows_are_sorted_and_the_last_duplicate_wins,
    ),
    "the earlier file wins": Bug(
        _merge,
        "key=lambda run: run.order",
        "key=lambda run: run.order, reverse=True",
        test_merge.test_rows_are_sorted_and_the_last_duplicate_wins,
    ),
    "a file repeats its own timestamps": Bug(
        Overlap.take,
        " & (files[1:] != files[:-1])",
        "",
        test_merge.test_a_timestamp_of_two_files_is_told,
    ),
    "rows that were dropped are not counted": Bug(
        merge_component,
        "        duplicates=duplicates,\n        unsupported",
        "        duplicates=0,\n        unsupported",
        test_merge.test_rows_are_sorted_and_the_last_duplicate_wins,
    ),
    "a row of another sensor replaces a value": Bug(
        Overlap._join,
        "np.where(has, ",
        "np.where(has | True, ",
        test_merge.test_files_that_hold_a_sensor_each_become_one_row_per_time,
        ({},),
    ),
    "rows that are joined count as repeated": Bug(
        merge_component,
        " - overlap.joined\n    sensors",
        "\n    sensors",
        test_merge.test_files_that_hold_a_sensor_each_become_one_row_per_time,
        ({},),
    ),
    "files of a sensor each come in turns": Bug(
        Overlap._count_turns,
        ".all(axis=1)",
        ".all(axis=1) | True",
        test_merge.test_files_with_the_same_columns_in_turns_are_told,
        ({},),
    ),
    "rows of another century are history": Bug(
        far_rows,
        "if not 0 < count",
        "if 0 < count",
        test_far_rows.test_a_slip_in_the_year_is_far,
    ),
    "all far rows may be left out": Bug(
        far_rows,
        "if not 0 < count <= max(1, share * counts.total()):",
        "if not count:",
        test_far_rows.test_rows_that_may_be_history_stay,
        case(test_far_rows.test_rows_that_may_be_history_stay, at=5)[0].values,
    ),
    "a machine that changed is a unit": Bug(
        changed_units,
        " and not unexplained & {change.start for change in each[0]}",
        "",
        test_changed_units.test_other_changes_tell_nothing,
        case(test_changed_units.test_other_changes_tell_nothing, at=3)[0].values,
    ),
    "converted levels need not be alike": Bug(
        alike,
        " & (far <= _DEVIATION * wide)",
        "",
        test_changed_units.test_other_changes_tell_nothing,
        case(test_changed_units.test_other_changes_tell_nothing, at=0)[0].values,
    ),
    "a sensor may go back and forth between units": Bug(
        _two_ranges,
        "if np.count_nonzero(np.diff(upper)) <= _MOST_CHANGES:",
        "if True:",
        test_changed_units.test_other_changes_tell_nothing,
        case(test_changed_units.test_other_changes_tell_nothing, at=4)[0].values,
    ),
    "files at one time are in turns": Bug(
        levels_in_time,
        "if all(before[1] <= then[0] for before, then in pairwise(files))",
        "",
        test_changed_units.test_files_at_the_same_time_tell_nothing,
    ),
    "a renamed column may have any values": Bug(
        alike,
        " & (far <= _DEVIATION * wide)",
        "",
        test_renamed_columns.test_sensors_that_come_and_go_tell_nothing,
        case(test_renamed_columns.test_sensors_that_come_and_go_tell_nothing, at=7)[0].values,
    ),
    "a renamed column may be at another place": Bug(
        _one_after_the_other,
        "begins.get(reports[ended.last].header.index(old), ())",
        "[each for some in begins.values() for each in some]",
        test_renamed_columns.test_sensors_that_come_and_go_tell_nothing,
        case(test_renamed_columns.test_sensors_that_come_and_go_tell_nothing, at=8)[0].values,
    ),
    "sensors of one kind are told as renamed": Bug(
        renamed_columns,
        "== [at] for some",
        "!= [] for some",
        test_renamed_columns.test_sensors_that_come_and_go_tell_nothing,
        case(test_renamed_columns.test_sensors_that_come_and_go_tell_nothing, at=9)[0].values,
    ),
    "files may lie between the names of a column": Bug(
        _one_after_the_other,
        "< next_end",
        "",
        test_renamed_columns.test_sensors_that_come_and_go_tell_nothing,
        case(test_renamed_columns.test_sensors_that_come_and_go_tell_nothing, at=3)[0].values,
    ),
    "running hours are a clock": Bug(
        ClockColumns.result,
        "if each.dated or not any(other.counted in _RUNNING for other in fits[each.name])",
        "",
        test_clock_columns.test_a_counter_is_no_clock,
        (*case(test_clock_columns.test_a_counter_is_no_clock, at=2)[0].values, 8 << 20, 60),
    ),
    "what counts cycles is a clock": Bug(
        common_clock,
        "if not counted or",
        "if True or",
        test_clock_columns.test_a_counter_is_no_clock,
        (*case(test_clock_columns.test_a_counter_is_no_clock, at=0)[0].values, 8 << 20, 60),
    ),
    "a clock may run at any speed": Bug(
        ClockColumns.result,
        "else most)",
        "else np.inf)",
        test_clock_columns.test_a_counter_is_no_clock,
        (*case(test_clock_columns.test_a_counter_is_no_clock, at=9)[0].values, 8 << 20, 60),
    ),
    "rows that are left out are told to be kept": Bug(
        decade_gap,
        "if far is None or far.is_near(one)",
        "",
        test_far_rows.test_rows_that_are_left_out_are_told_once,
    ),
    "a gap of a decade may have rows": Bug(
        decade_gap,
        "_AGES)",
        "_FAR_PERIODS)",
        test_far_rows.test_other_histories_have_no_gap_of_a_decade,
        case(test_far_rows.test_other_histories_have_no_gap_of_a_decade, at=3)[0].values,
    ),
    "any repeated hour is one of clocks": Bug(
        RepeatedHours.count,
        "and rows == np.count_nonzero(hours == hour)",
        "",
        test_local_time.test_other_gaps_and_repetitions_are_no_clocks,
        case(test_local_time.test_other_gaps_and_repetitions_are_no_clocks, at=5)[0].values,
    ),
    "any pause of an hour is one of clocks": Bug(
        _after_skipped,
        "at[_is_changed_hour(micros[at] - steps[at - 2])]",
        "at",
        test_local_time.test_other_gaps_and_repetitions_are_no_clocks,
        case(test_local_time.test_other_gaps_and_repetitions_are_no_clocks, at=2)[0].values,
    ),
    "clocks are changed on any Sunday": Bug(
        _is_changed_hour,
        "sunday & np.isin(year_days, _CHANGE_DAYS)",
        "sunday",
        test_local_time.test_other_gaps_and_repetitions_are_no_clocks,
        case(test_local_time.test_other_gaps_and_repetitions_are_no_clocks, at=7)[0].values,
    ),
    "passes need not overlap": Bug(
        Passes.sorted_by_sensor,
        "if not all(map(_overlap, self._found, self._found[1:])):",
        "if False:",
        test_passes.test_wide_files_are_not_taken_for_long_ones,
        case(test_passes.test_wide_files_are_not_taken_for_long_ones, at=3)[0].values,
    ),
    "one of many numbers is a machine": Bug(
        Passes.sorted_by_sensor,
        "if max(widths) > _MOST_COLUMNS and any(map(str.isdigit, texts)):",
        "if False:",
        test_passes.test_one_of_many_columns_has_such_numbers_by_chance,
    ),
    "a gap between two files is none": Bug(
        RunningStatistics._measure_gaps,
        "times[:1] if self._end is None else self._end",
        "times[:1]",
        test_merge.test_a_gap_between_two_pieces_is_a_gap,
    ),
    "offsets have the wrong sign": Bug(
        _calendar_micros,
        "(-1 if",
        "(1 if",
        test_timestamps.test_a_column_is_read_as_its_texts,
        ("2024-03-07 09:05:08-0800",),
    ),
    "every fourth year is a leap year": Bug(
        _calendar_micros,
        "((year % 100 != 0) | (year % 400 == 0))",
        "(year > 0)",
        test_timestamps.test_a_column_is_read_as_its_texts,
        ("1900-02-29 00:00",),
    ),
    "fractions lose their zeros": Bug(
        _calendar_micros,
        "micros += parts.fraction(6)",
        "micros += parts.number(*parts.has.get('f', (0, 0)))",
        test_timestamps.test_a_column_is_read_as_its_texts,
        ("2024-03-07 09:05:08.25Z",),
    ),
    "the day is always read second": Bug(
        TimestampReader._instants,
        "(second, first) if self.day_first else (first, second)",
        "(first, second)",
        test_repairs.test_day_and_month_have_one_order_in_a_file,
        (1 << 20,),
    ),
    "the first block decides the order of day and month": Bug(
        _Reading.convert,
        "if len(head) > 1:",
        "if len(head) > 9:",
        test_repairs.test_day_and_month_have_one_order_in_a_file,
        (100,),
    ),
    "an empty text is invalid": Bug(
        _parse_odd,
        "texts.is_valid()",
        "known",
        test_convert.test_cells_are_numbers_missing_or_invalid,
        ("abc", 0, 1),
    ),
    "infinity is a number": Bug(
        BlockReader._add_column,
        "if total is not None and not math.isfinite(total):",
        "if total is None:",
        test_convert.test_cells_are_numbers_missing_or_invalid,
        ("1e400", 0, 1),
    ),
    "texts are taken out of columns that nobody asked for": Bug(
        take_out_odd_cells,
        "if column in columns:",
        "if column:",
        test_odd_cells.test_other_blocks_are_left_alone,
        case(test_odd_cells.test_other_blocks_are_left_alone, id="another column"),
    ),
    "a full row is short": Bug(
        _fit_to_width,
        "cells < names",
        "cells <= names",
        test_repairs.test_repairs_are_counted_with_line_and_example,
        (*case(test_repairs.test_repairs_are_counted_with_line_and_example, at=1), 1 << 20),
    ),
    "lines in quotation marks are not counted": Bug(
        row_lines,
        "begins &= marks[starts] % 2 == 0",
        "pass",
        test_repairs.test_repairs_are_counted_with_line_and_example,
        (*case(test_repairs.test_repairs_are_counted_with_line_and_example, at=8), 1 << 20),
    ),
    "a repetition in a later block is not found": Bug(
        DuplicateCount.add,
        "(self._last is None or times[0] > self._last)",
        "True",
        test_repairs.test_repairs_are_counted_with_line_and_example,
        (*case(test_repairs.test_repairs_are_counted_with_line_and_example, at=9), 40),
    ),
    "rows that are too wide are read": Bug(
        _require_width,
        "if tally.first_wide is None or",
        "if tally.first_wide is not None or",
        test_repairs.test_above_a_share_a_repair_is_an_error,
        case(test_repairs.test_above_a_share_a_repair_is_an_error, at=0),
    ),
    "blank rows hide the share of bad ones": Bug(
        Tally.filled.fget,
        " - self.blank",
        "",
        test_repairs.test_blank_rows_hide_no_share,
    ),
    "a share at its limit is above it": Bug(
        _above,
        "count > limit",
        "count >= limit",
        test_repairs.test_a_share_at_its_limit_is_within_it,
        (0.25, False),
    ),
    # explain
    "a switch is told by a value that it had too seldom": Bug(
        _too_often,
        "deviation.level > 0",
        "deviation.level < 0",
        test_sentence.test_a_switch_with_usual_values_is_told_by_the_one_that_it_has_too_often,
        case(test_sentence.test_a_switch_with_usual_values_is_told_by_the_one_that_it_has_too_often, id="1"),
    ),
    "an hour is told in hours": Bug(
        _duration, "minutes < 90", "minutes < 60", test_sentence.test_lengths_of_time, ("80 min", "80 min")
    ),
    "numbers are told too roughly": Bug(
        _number,
        "max(1 - math",
        "max(0 - math",
        test_sentence.test_numbers_show_their_difference,
        (12.34567, 2.0, "12.3"),
    ),
    "a percentage of a sensor that changes sign": Bug(
        _percent,
        "not low * high > 0 or ",
        "",
        test_sentence.test_a_percentage_needs_a_fixed_zero,
        (-5.0, 10.0, ""),
    ),
    "equal names of two components are not told apart": Bug(
        _short_name, ".count(short) == 1", ".count(short) >= 1", test_sentence.test_equal_names_are_told_apart
    ),
    # train
    "runs one row nearer are joined": Bug(
        joined_runs,
        "> gap",
        ">= gap",
        test_training_rows.test_marked_rows_near_each_other_are_one_run,
        case(test_training_rows.test_marked_rows_near_each_other_are_one_run, at=1),
    ),
    "no margin after a run": Bug(
        with_margin,
        "stop + margin",
        "stop",
        test_training_rows.test_a_margin_is_on_both_sides,
        case(test_training_rows.test_a_margin_is_on_both_sides, at=0),
    ),
    "strips of a small sample are not among those of a large one": Bug(
        sample_strips,
        "stride *= 2",
        "stride += 1",
        test_training_rows.test_strips_of_long_data_are_evenly_spaced_and_nested,
    ),
    "folds count rows that are not learned": Bug(
        time_folds,
        "np.cumsum(normal)",
        "np.arange(1, len(normal) + 1)",
        test_training_rows.test_folds_hold_equally_many_normal_rows,
    ),
    "rows between marked ones are taken, too": Bug(
        taken,
        "== len(places) - 1",
        ">= len(places) - 1",
        test_training_rows.test_marked_rows_are_taken_whether_or_not_they_follow_each_other,
        ("1010",),
    ),
    "every block of a tall array is its first": Bug(
        transposed,
        "rows[at : at + _BLOCK_ROWS].T",
        "rows[:_BLOCK_ROWS].T[:, : len(rows) - at]",
        test_training_rows.test_a_tall_array_is_transposed_block_by_block,
        (600,),
    ),
    "quantiles of a machine with one sensor mix its rows": Bug(
        transposed_parts,
        "transposed(rows[:, at : at + _COLUMNS])",
        "rows[:, at : at + _COLUMNS].T",
        test_training_rows.test_quantiles_of_a_single_column_leave_its_rows_in_order,
    ),
    "quantiles are not interpolated": Bug(
        column_quantile,
        "np.float32(place - low)",
        "np.float32(0)",
        test_training_rows.test_quantiles_of_columns_are_those_of_numpy,
        (100, 0.5),
    ),
    "silence is seen a row late": Bug(
        _silent,
        "missing.sum(axis=0) >= SILENT_ROWS",
        "missing.sum(axis=0) > SILENT_ROWS",
        test_silence.test_rows_with_a_silent_sensor_are_not_learned,
        case(test_silence.test_rows_with_a_silent_sensor_are_not_learned, id="just silent"),
    ),
    "silence of a machine that is off is told": Bug(
        Silence.of.__func__,  # type: ignore[attr-defined]
        "(silent & on)",
        "silent",
        test_silence.test_silence_of_a_machine_that_is_off_is_not_told,
    ),
    "the first sensor without values is named": Bug(
        Silence.of.__func__,  # type: ignore[attr-defined]
        "np.argmax",
        "np.argmin",
        test_silence.test_what_silence_costs_a_training_is_told_with_its_worst_sensor,
    ),
    "neutral periods are learned": Bug(
        fit,
        "~frame.off & ~doubtful",
        "~frame.off",
        test_rated_periods.test_a_neutral_period_is_not_learned_whatever_it_looks_like,
    ),
    "what was confirmed is cleaned away": Bug(
        fit,
        "_LEARNED_ROWS) | (normal & sure)",
        "_LEARNED_ROWS)",
        test_rated_periods.test_what_looks_like_a_fault_is_learned_when_it_is_confirmed,
        (test_rated_periods.odd_pump(),),
    ),
    "running hours are a change that somebody must confirm": Bug(
        without_known_faults,
        "(with_moved,) if held and prior.slow is None else",
        "(with_moved,) if held else",
        test_known_faults.test_running_hours_go_on_where_the_other_sensors_are_held_and_that_is_told,
    ),
    "what nobody confirmed is learned in silence": Bug(
        fit,
        "learned_change=change",
        "learned_change=None",
        test_known_faults.test_running_hours_go_on_where_the_other_sensors_are_held_and_that_is_told,
    ),
    "what the owner follows is told as if nobody had confirmed it": Bug(
        without_known_faults,
        "(faults if follows else faults | known.moved)",
        "(faults | known.moved)",
        test_known_faults.test_what_was_left_out_confirmed_or_never_moved_is_no_learned_change,
    ),
    "only levels that moved are told, no faults": Bug(
        without_known_faults,
        "(faults if follows else faults | known.moved)",
        "(False if follows else known.moved)",
        test_known_faults.test_a_fault_is_learned_change_too_if_nearly_all_rows_are_faults,
    ),
    "learned change is told of the sensor with the first place": Bug(
        _Known.learned_change,
        ".argmax()",
        ".argmin()",
        test_known_faults.test_running_hours_go_on_where_the_other_sensors_are_held_and_that_is_told,
    ),
    "blocks of days walk as blocks of weeks do": Bug(
        _walk,
        "min(1.0, float(block / WEEK))",
        "1",
        test_short_trainings.test_drift_goes_on_as_a_walk_as_far_as_blocks_of_training_hold_whole_weeks,
        case(
            test_short_trainings.test_drift_goes_on_as_a_walk_as_far_as_blocks_of_training_hold_whole_weeks,
            at=0,
        ),
    ),
    "drift that was left out makes a sensor steady": Bug(
        with_known_drift,
        "np.minimum(slow.steady, prior.slow.steady)",
        "slow.steady",
        test_known_drift.test_a_sensor_that_drifted_is_not_steady_because_its_drift_was_left_out,
        (test_known_drift.pump_of_days(),),
    ),
    "a sensor that begins to drift is let go": Bug(
        with_known_drift,
        "(prior.slow.steady > HELD)",
        "(prior.slow.steady < 0)",
        test_known_drift.test_a_sensor_that_held_and_now_drifts_needs_a_word,
        (test_known_drift.pump_of_days(),),
    ),
    "drift that people called normal is not learned": Bug(
        with_known_drift,
        "unsaid.steady <= HELD",
        "True",
        test_known_drift.test_drift_of_rows_that_people_called_normal_is_learned,
        (test_known_drift.pump_of_days(),),
    ),
    "neutral alarms are false": Bug(
        evaluate,
        "if not _touches(each, neutral)]",
        "]",
        test_evaluation.test_alarms_in_neutral_periods_are_neither_right_nor_wrong,
    ),
    "neutral rows count for the area": Bug(
        evaluate,
        "| ~rows_inside(scores.times, neutral)",
        "| True",
        test_evaluation.test_alarms_in_neutral_periods_are_neither_right_nor_wrong,
    ),
    "no rare state is learned": Bug(
        came_back,
        ">= VISITS",
        ">= 10 * VISITS",
        test_rare_states.test_a_season_of_hot_days_is_quiet_and_faults_in_it_alarm,
    ),
    "runs that curves explain are left out": Bug(
        unexplained,
        "> UNEXPLAINED * lines",
        ">= 0",
        test_rare_states.test_hot_spells_that_curves_predict_from_one_another_are_learned_from_two_on,
    ),
    "all runs count as explained": Bug(
        unexplained,
        "> UNEXPLAINED * lines",
        "> 10 * lines",
        test_rare_states.test_a_fault_in_one_of_three_hot_spells_is_not_learned_and_the_others_are,
        (test_rare_states.OIL,),
    ),
    "curves learn the run that they are to explain": Bug(
        _lines_and_curves,
        "[*parts[:fold], *parts[fold + 1 :]]",
        "parts",
        test_rare_states.test_a_rare_state_that_came_once_is_not_learned,
    ),
    "the first stretches left out are named, not the longest": Bug(
        longest_stretches,
        "runs.sort(",
        "dict(",
        test_row_runs.test_the_longest_stretches_are_named_in_order_of_time,
    ),
    "a rare state is learned that never came back": Bug(
        came_back,
        ">= VISITS",
        ">= 0",
        test_rare_states.test_a_rare_state_that_came_once_is_not_learned,
    ),
    "rows of a window are kept twice": Bug(
        ObservedRows.replacing,
        "earlier.times > end",
        "earlier.times > start",
        test_observed_rows.test_rows_of_a_span_are_replaced,
    ),
    "rows without values are kept": Bug(
        observed_rows,
        ".any(axis=1)",
        ".all(axis=1)",
        test_observed_rows.test_rows_are_resampled_and_not_filled,
    ),
    "kept rows go before those of the dataset": Bug(
        overlay_component,
        "(older, newer)",
        "(newer, older)",
        test_observed_rows.test_rows_of_the_dataset_go_before_kept_ones,
    ),
    "any quiet bin says that a slow fault has ended": Bug(
        SlowAlarm._move,
        "self._sign(average, strength)",
        "1.0",
        test_slow_drift.test_a_fault_that_shows_at_full_load_only_alarms_until_full_load_is_quiet,
    ),
    "a quiet bin says as much of a small fault as of a large one": Bug(
        SlowAlarm._sign,
        "fault * (fault / 2 - strength)",
        "1.0",
        test_slow_drift.test_the_smaller_a_fault_the_more_quiet_bins_end_it,
        case(test_slow_drift.test_the_smaller_a_fault_the_more_quiet_bins_end_it, at=2),
    ),
    "one quiet bin ends a large fault": Bug(
        SlowAlarm._sign,
        "min(1.0, fault",
        "min(9.0, fault",
        test_slow_drift.test_the_smaller_a_fault_the_more_quiet_bins_end_it,
        case(test_slow_drift.test_the_smaller_a_fault_the_more_quiet_bins_end_it, at=0),
    ),
    "a bin that lies on the side of a fault is no sign of it": Bug(
        SlowAlarm._sign,
        "(fault / 2 - strength)",
        "fault / 2",
        test_slow_drift.test_quiet_bins_on_the_side_of_the_fault_do_not_end_it,
        case(test_slow_drift.test_quiet_bins_on_the_side_of_the_fault_do_not_end_it, at=0),
    ),
    "an alarm near its limit waits for long": Bug(
        SlowAlarm._sign,
        "average <= 1",
        "False",
        test_slow_drift.test_with_the_average_back_any_sign_of_a_repair_is_a_full_one,
        case(test_slow_drift.test_with_the_average_back_any_sign_of_a_repair_is_a_full_one, at=0),
    ),
    "with the average back, a bin that shows the fault ends it": Bug(
        SlowAlarm._sign,
        "sign > 0 and ",
        "",
        test_slow_drift.test_quiet_bins_on_the_side_of_the_fault_do_not_end_it,
        case(test_slow_drift.test_quiet_bins_on_the_side_of_the_fault_do_not_end_it, at=1),
    ),
    "with the average back, quiet bins of a night end a fault of the day": Bug(
        SlowAlarm._sign,
        " and above.mean() > 1 / 2",
        "",
        test_slow_drift.test_with_the_average_back_quiet_bins_where_a_fault_rarely_showed_say_little,
    ),
    "a tracked view counts as long as any static view remembers a fault": Bug(
        evaluate_views,
        "as_trained[TRACKED[view.name]]",
        "np.max(list(as_trained.values()), axis=0)",
        test_slow_drift.test_a_window_that_remembers_a_fault_makes_no_tracked_view_count,
    ),
    "what stays outside is cut like a spike": Bug(
        limit_excursions,
        "CLIP * (rows - SPIKE_ROWS + 1)",
        "CLIP",
        test_seldom_open.test_a_valve_that_opens_wider_than_ever_is_no_fault,
    ),
    "a spike counts as far as it is": Bug(
        limit_excursions,
        "rows > SPIKE_ROWS",
        "rows > 0",
        test_excursions.test_a_reading_counts_the_farther_the_longer_it_stays,
        ((0.0, 500.0, 0.0), (0.0, 30.0, 0.0)),
    ),
    "spikes are values of the slow channel": Bug(
        Grid._sums,
        "spike=np.nan",
        "spike=30.0",
        test_seldom_open.test_spikes_hide_no_slow_fault,
    ),
    "far errors of the slow channel count as they are": Bug(
        Additive._unexplained,
        "in_proportion(centred[:, :sensors] + self.mean[:sensors], errors)",
        "errors",
        test_additive_model.test_far_outside_an_error_counts_in_proportion,
    ),
    "a window does not know what was outside before": Bug(
        Pipeline.run,
        "state.outside)",
        "np.zeros(len(state.values)))",
        test_seldom_open.test_windows_agree_with_one_batch_while_a_valve_is_open,
        (7,),
    ),
    "the slow channel does not know what was outside before": Bug(
        SlowDrift._run,
        "state.outside)",
        "np.zeros(len(state.outside)))",
        test_seldom_open.test_windows_agree_with_one_batch_while_a_valve_is_open,
        (1,),
    ),
    "a reading on the other side stays outside": Bug(
        _rows_on_one_side,
        "np.diff(sides, axis=0, prepend=np.sign(before)[None])",
        "np.diff(np.abs(sides), axis=0, prepend=np.sign(before)[None])",
        test_excursions.test_a_reading_counts_the_farther_the_longer_it_stays,
        ((500.0, 500.0, 500.0, 500.0, -500.0, 500.0), (30.0, 30.0, 30.0, 60.0, -30.0, 30.0)),
    ),
    "bends go on beyond what was learned": Bug(
        Additive._errors,
        "nearer(result, result - beyond @ self.weights[at:])",
        "result",
        test_additive_model.test_beyond_its_range_a_bend_may_end,
        case(test_additive_model.test_beyond_its_range_a_bend_may_end, at=2),
    ),
    "quiet bins after a repair say that the fault does not show": Bug(
        SlowAlarm._sign,
        "- (self._state.spell - 1)",
        "",
        test_slow_drift.test_a_repair_is_told_by_what_was_before_it,
    ),
    "quiet bins before a fault say that it does not show": Bug(
        SlowAlarm._sign,
        "int(np.argmax(self._above[self._first : self._next]))",
        "0",
        test_slow_drift.test_a_fault_that_came_fast_is_not_looked_for_where_it_never_was,
    ),
    "an alarm that nothing speaks for stays open": Bug(
        SlowAlarm._move,
        " or lately < opening",
        "",
        test_slow_drift.test_an_alarm_without_any_sign_of_a_fault_closes_in_the_end,
    ),
    "a sensor on its way back is followed slowly": Bug(
        Baseline._follow_slowly,
        "part[np.abs(row) < np.abs(before)] = 1",
        "pass",
        test_baseline.test_on_the_way_back_a_baseline_follows_at_full_speed,
    ),
    "a sensor a little out of reach is followed at once as slowly as one far out": Bug(
        Baseline._follow_slowly,
        "ramp(np.abs(gap) / reach, far, near)",
        "np.abs(gap) <= near * reach",
        test_baseline.test_the_farther_a_sensor_is_out_of_reach_the_slower_it_is_followed,
        (1.25, 0.5),
    ),
    "the level at the end of training is that of one span": Bug(
        _with_level,
        "_FORGOTTEN * pipeline.baseline.span",
        "pipeline.baseline.span",
        test_baseline.test_the_level_at_the_end_of_training_is_that_of_all_rows,
        (0,),
    ),
    "what a silent sensor read last is forgotten": Bug(
        _with_level,
        " and np.isfinite(frame.values[at]).all()",
        "",
        test_baseline.test_the_level_at_the_end_of_training_is_that_of_all_rows,
        (9_000,),
    ),
    "fast views spend the whole budget beside a trusted slow channel": Bug(
        FitSettings.beside,
        "1 - slow / 2",
        "1",
        test_slow_drift.test_fast_views_leave_half_of_the_budget_to_a_trusted_channel,
    ),
    "fast views halve the budget whatever training held": Bug(
        fit,
        " * (1 - ramp(trimmed, 0, FAULTY_SHARE))",
        "",
        test_slow_drift.test_fast_views_keep_the_budget_where_training_held_faults_that_nobody_labelled,
    ),
    "sensors that walked in training predict the others": Bug(
        Additive.fit.__func__,  # type: ignore[attr-defined]
        "np.tile(trusted, size // sensors)",
        "np.ones(size)",
        test_slow_drift.test_sensors_that_walked_in_training_do_not_mislead_the_others,
    ),
    "quiet sensors hide a fault of one": Bug(
        row_scores,
        "powers **= POWER / 2",
        "powers **= 1",
        test_view.test_the_score_is_the_root_of_the_mean_fourth_power,
    ),
    "noise of many sensors hides that a single one has shifted": Bug(
        _pace,
        "POWER if view.fourth_powers else 2.0",
        "2.0",
        test_notices.test_one_level_of_many_sensors_is_told_and_not_learned,
    ),
    "models of before take a shift for that of one sensor where they did not": Bug(
        _pace,
        "POWER if view.fourth_powers else 2.0",
        "POWER",
        test_level_shift.test_in_models_of_before_quiet_sensors_count_by_their_squares_as_they_did,
    ),
    "a residual counts without bound": Bug(
        row_scores,
        "np.minimum(residuals[at : at + _BLOCK_ROWS], CAP)",
        "+residuals",
        test_view.test_the_score_is_the_root_of_the_mean_fourth_power,
    ),
    "rows of models of before have scores that their limits do not fit": Bug(
        View.scores,
        "(row_scores if self.fourth_powers else older_row_scores)",
        "row_scores",
        test_artefact.test_a_detector_of_before_keeps_the_row_scores_that_its_limits_fit,
    ),
    "averages of slow channels of before have scores that their limits do not fit": Bug(
        SlowDrift.ratios,
        "(row_scores if self.fourth_powers else older_row_scores)",
        "row_scores",
        test_slow_drift.test_a_channel_of_before_judges_its_average_as_its_limit_was_fitted,
    ),
    "all parts of a long frame are led by the sensors of the first": Bug(
        SlowRatios.joined.__func__,  # type: ignore[attr-defined]
        "part.bins + start",
        "part.bins",
        test_slow_drift.test_a_long_frame_is_judged_part_by_part,
    ),
    "quiet sensors hide a slow fault of one": Bug(
        bin_scores,
        "residuals.max(axis=1)",
        "residuals.mean(axis=1)",
        test_slow_drift.test_a_fault_of_one_sensor_counts_as_much_among_many,
    ),
    "noise of other sensors keeps a slow alarm open": Bug(
        SlowAlarm._move,
        "now = min(now, max(strength, 0.0) ** 2)",
        "pass",
        test_slow_drift.test_noise_of_other_sensors_does_not_keep_an_alarm_open,
    ),
    "a bin on the other side of its average shows the fault": Bug(
        SlowAlarm._move,
        "max(strength, 0.0) ** 2",
        "strength**2",
        test_slow_drift.test_noise_of_other_sensors_does_not_keep_an_alarm_open,
    ),
    "a single residual far out is a fault of its size": Bug(
        along,
        "for each in (residuals, averages)",
        "if each is averages else each for each in (residuals, averages)",
        test_slow_drift.test_noise_of_other_sensors_does_not_keep_an_alarm_open,
    ),
    "limits of few days are as narrow as those of many": Bug(
        few_days,
        "first / freedom + second / freedom**2",
        "0",
        test_short_trainings.test_limits_of_few_days_are_those_of_students_t,
        case(test_short_trainings.test_limits_of_few_days_are_those_of_students_t, at=0),
    ),
    "bends count whatever held-out days say": Bug(
        counted,
        "if gain > error",
        "if True",
        test_short_trainings.test_a_gain_counts_as_far_as_it_is_beyond_chance,
        case(test_short_trainings.test_a_gain_counts_as_far_as_it_is_beyond_chance, id="a loss"),
    ),
    "what a shift does to other sensors is taken for known": Bug(
        SlowDrift.shares,
        "np.maximum(shifted, units**2)",
        "shifted",
        test_slow_drift.test_a_sensor_whose_residual_moves_alone_leads_whatever_its_shift_does_elsewhere,
    ),
    "what drifted in training does not drift on": Bug(
        SlowDrift.units_at,
        "1 + self.walk * ",
        "1 + 0 * ",
        test_slow_drift.test_units_contain_what_drifted_in_training_and_grow_as_a_walk_goes_on,
    ),
    "what drifted in training is added to units that contain it": Bug(
        SlowDrift.units_at,
        "np.maximum(self.units",
        "np.hypot(self.units",
        test_slow_drift.test_units_contain_what_drifted_in_training_and_grow_as_a_walk_goes_on,
    ),
    "a sensor that follows what nobody measures alarms": Bug(
        SlowDrift.units_at,
        "self.drift * np.sqrt",
        "0 * np.sqrt",
        test_slow_drift.test_a_sensor_that_follows_what_nobody_measures_is_quiet_and_the_others_still_alarm,
    ),
    "a plant whose sensors all drifted cannot be held": Bug(
        trusted,
        "max(1.0, plant / DRIFT[1])",
        "1.0",
        test_slow_drift.test_a_plant_whose_sensors_all_drifted_can_still_be_held,
    ),
    "residuals count in full in states that training did not hold": Bug(
        TrainedStates.variance,
        "1 + np.maximum(leverage, 0)",
        "1 + 0 * leverage",
        test_trained_states.test_a_season_that_training_did_not_hold_is_quiet_and_a_fault_in_it_alarms,
    ),
    "errors beyond training are as large as within": Bug(
        SlowDrift.variance,
        " + beyond**2 @ self.growth",
        "",
        test_outermost.test_a_season_into_which_relations_do_not_go_on_is_quiet,
    ),
    "a window does not know where the plant was": Bug(
        SlowDrift.variance,
        "state.place = places[-1]",
        "pass",
        test_outermost.test_windows_carry_where_the_plant_is,
    ),
    "outermost states are predicted by a model that has learned them": Bug(
        _Blocks.unlearned,
        ".without(Moments.of(self.made[bins & self.whole]))",
        "",
        test_outermost.test_errors_grow_where_relations_do_not_go_on_and_nowhere_else,
    ),
    "errors grow by chance": Bug(
        _growth,
        "counted(excess, chance) * excess",
        "excess",
        test_outermost.test_errors_grow_by_what_is_beyond_chance,
        case(test_outermost.test_errors_grow_by_what_is_beyond_chance, id="by chance"),
    ),
    "only one end of training is outermost": Bug(
        _growth,
        "(OUTERMOST / 2, 1 - OUTERMOST / 2)",
        "(0, 1 - OUTERMOST)",
        test_outermost.test_the_outermost_states_of_both_ends_are_predicted_by_the_rest,
    ),
    "limits of the fast views are the same in all states": Bug(
        _weighted,
        "trained.variance(states)",
        "1.0",
        test_trained_states.test_models_of_an_older_release_take_every_state_for_known,
        case(test_trained_states.test_models_of_an_older_release_take_every_state_for_known, id="fast views"),
    ),
    "each row of training is a state of its own": Bug(
        TrainedStates.of.__func__,  # type: ignore[attr-defined]
        "float(time / INDEPENDENT)",
        "len(states)",
        test_trained_states.test_errors_grow_with_the_distance_in_spreads_of_training,
        case(test_trained_states.test_errors_grow_with_the_distance_in_spreads_of_training, at=3),
    ),
    "each day of a block that differs from others is a state of its own": Bug(
        TrainedStates.of.__func__,  # type: ignore[attr-defined]
        "np.maximum(uncertain, doubt * errors / deviation**2)",
        "uncertain",
        test_trained_states.test_where_blocks_of_training_differ_fewer_states_are_independent,
        case(test_trained_states.test_where_blocks_of_training_differ_fewer_states_are_independent, at=0),
    ),
    "each day of a season is a state of its own": Bug(
        state_errors,
        "np.array(means)",
        "None",
        test_outermost.test_where_relations_may_end_a_season_is_few_states_to_the_fast_views,
    ),
    "a season is few states where relations go on, too": Bug(
        TrainedStates.of.__func__,  # type: ignore[attr-defined]
        "doubt * errors",
        "errors",
        test_trained_states.test_without_doubt_each_day_is_a_state_whatever_blocks_say,
    ),
    "a view that still sees a rare state is judged by the newest row": Bug(
        newest_largest,
        "largest_of(rows, len(before) + 1)",
        "values",
        test_trained_states.test_limits_are_wide_as_long_as_a_view_sees_the_state,
    ),
    "states differ on a plant that drifted in training": Bug(
        state_errors,
        "trust == 0",
        "False",
        test_trained_states.test_a_training_that_vouches_for_nothing_takes_all_states_for_alike,
    ),
    "a sensor far from its prediction is in a new state": Bug(
        confirmed_states,
        "nearer(values, values - residuals)",
        "values",
        test_trained_states.test_a_state_counts_as_far_as_the_other_sensors_confirm_it,
    ),
    "limits in rare states are those elsewhere": Bug(
        RareStates.factor,
        "ramp(distance, self.usual, RARE * self.usual)",
        "0 * distance",
        test_rare_states.test_limits_widen_beyond_the_usual_states,
        case(test_rare_states.test_limits_widen_beyond_the_usual_states, id="rare"),
    ),
    "a sensor alone makes a rare state": Bug(
        state_distance,
        "confirmed_states(values, residuals)",
        "values",
        test_rare_states.test_a_distance_counts_as_far_as_the_other_sensors_confirm_it,
        case(test_rare_states.test_a_distance_counts_as_far_as_the_other_sensors_confirm_it, id="alone"),
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_every_bug_is_caught(name: str) -> None:
    bug = BUGS[name]
    bug.check()
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)
        try:
            bug.check()
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever a broken engine raises
            return
    pytest.fail(f"{name}: {bug.caught_by.__name__} did not notice")
