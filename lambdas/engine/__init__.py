"""Pure numerics of the detector: arrays in, arrays out. This package is the whole interface."""

from engine.detect.artefact import BadArtefact
from engine.detect.batches import join_batches, score_in_batches
from engine.detect.blas import blas_name
from engine.detect.detector import Detector
from engine.detect.learned_change import LearnedChange
from engine.detect.level_events import LevelMoved
from engine.detect.libraries import libraries
from engine.detect.notices import Notice, silence_notices
from engine.detect.scores import Scores
from engine.detect.slow_drift import ADAPTATIONS, Adaptation
from engine.evaluate.evaluation import Evaluation, Range, alarmed, evaluate, ranges
from engine.evaluate.events import REPORT_JOIN, EventRules
from engine.evaluate.faults import Fault, Faults
from engine.evaluate.intervals import Interval, merge_intervals
from engine.explain.sentence import departure, describe, grown
from engine.explain.summaries import Summary, summaries
from engine.frame.build import build_frame
from engine.frame.component_reader import FrameWindow, NoData, rows_between
from engine.frame.filling import FillLimits, LastValue
from engine.frame.frame import Frame, SensorId, with_silent
from engine.frame.last_values import last_values
from engine.frame.matrix import TooLarge
from engine.frame.observed_rows import ObservedRows, join_rows, observed_rows, overlay_component
from engine.frame.off_condition import OffCondition
from engine.ingest.changed_units import changed_units
from engine.ingest.clock_columns import common_clock
from engine.ingest.convert import convert_csv, convert_file
from engine.ingest.far_rows import decade_gap, far_rows
from engine.ingest.file_report import FileReport
from engine.ingest.merge import ComponentReport, merge_component
from engine.ingest.renamed_columns import renamed_columns
from engine.ingest.statistics import SensorStatistics
from engine.ingest.timestamps import parse_timestamps
from engine.train.comparison import Comparison, compare, compare_scores
from engine.train.fit import fit
from engine.train.fit_settings import FitSettings
from engine.train.known_faults import UnconfirmedChange
from engine.train.silence import Silence
from l4e_files.repairs import Repair, RepairLimits
from l4e_files.unusable import IllegalHeader, UnusableFile

__all__ = [
    "ADAPTATIONS",
    "REPORT_JOIN",
    "Adaptation",
    "BadArtefact",
    "Comparison",
    "ComponentReport",
    "Detector",
    "Evaluation",
    "EventRules",
    "Fault",
    "Faults",
    "FileReport",
    "FillLimits",
    "FitSettings",
    "Frame",
    "FrameWindow",
    "IllegalHeader",
    "Interval",
    "LastValue",
    "LearnedChange",
    "LevelMoved",
    "NoData",
    "Notice",
    "ObservedRows",
    "OffCondition",
    "Range",
    "Repair",
    "RepairLimits",
    "Scores",
    "SensorId",
    "SensorStatistics",
    "Silence",
    "Summary",
    "TooLarge",
    "UnconfirmedChange",
    "UnusableFile",
    "alarmed",
    "blas_name",
    "build_frame",
    "changed_units",
    "common_clock",
    "compare",
    "compare_scores",
    "convert_csv",
    "convert_file",
    "decade_gap",
    "departure",
    "describe",
    "evaluate",
    "far_rows",
    "fit",
    "grown",
    "join_batches",
    "join_rows",
    "last_values",
    "libraries",
    "merge_component",
    "merge_intervals",
    "observed_rows",
    "overlay_component",
    "parse_timestamps",
    "ranges",
    "renamed_columns",
    "rows_between",
    "score_in_batches",
    "silence_notices",
    "summaries",
    "with_silent",
]
