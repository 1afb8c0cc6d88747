"""Pure numerics of the detector: arrays in, arrays out. This package is the whole interface."""

from engine.artefact import BadArtefact
from engine.columns import TooLarge
from engine.compare import Comparison, compare, weigh
from engine.component import ComponentReport, merge_component
from engine.csvfile import FileReport, convert_csv
from engine.detector import Detector
from engine.events import EventRules
from engine.frame import Frame, OffCondition, SensorId, build_frame
from engine.headers import IllegalHeader, UnusableFile
from engine.intervals import Evaluation, Interval, Range, evaluate, ranges
from engine.notices import Notice, silence
from engine.partial import rows_between, with_silent
from engine.parts import joined, score_in_parts
from engine.quality import SensorStatistics
from engine.reader import NoData
from engine.scores import Scores
from engine.summaries import Summary, summaries
from engine.timestamps import parse_timestamps
from engine.training import fit
from engine.trial import Settings
from engine.words import describe

__all__ = [
    "BadArtefact",
    "Comparison",
    "ComponentReport",
    "Detector",
    "Evaluation",
    "EventRules",
    "FileReport",
    "Frame",
    "IllegalHeader",
    "Interval",
    "NoData",
    "Notice",
    "OffCondition",
    "Range",
    "Scores",
    "SensorId",
    "SensorStatistics",
    "Settings",
    "Summary",
    "TooLarge",
    "UnusableFile",
    "build_frame",
    "compare",
    "convert_csv",
    "describe",
    "evaluate",
    "fit",
    "joined",
    "merge_component",
    "parse_timestamps",
    "ranges",
    "rows_between",
    "score_in_parts",
    "silence",
    "summaries",
    "weigh",
    "with_silent",
]
