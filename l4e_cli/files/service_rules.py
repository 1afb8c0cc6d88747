"""The rules of the service about files, for commands that look at files without a deployment.

They are the functions that the service itself runs, all of them pure.
"""

import l4e_cli.reader  # noqa: F401, I001 - finds the code of the service

from service.errors import ValidationError
from service.jobs.csv_reading import read_csv
from service.jobs.failure import JobFailed
from service.jobs.ingestion.findings import MergedComponent, notes_of, repairs_of, require_values
from service.jobs.ingestion.parts import FilePart
from service.jobs.ingestion.second_reading import SecondReading, is_day_first, second_reading
from service.jobs.ingestion.selection import FileLimits, SourceFile, check_limits, select
from service.jobs.storage.listed_object import ListedObject, is_folder
from service.jobs.training.training_labels import ALL_OF_TRAINING, ANOMALY, Label, Labels, too_large
from service.members.key_pattern import DEFAULT_PATTERN, KeyPattern
from service.settings import Settings
from service.members.training_windows import ADVISED_DAYS, LEAST_DAYS, TimeSpan
from service.requests.service_model import service_model
from service.requests.validation import parse

__all__ = [
    "ADVISED_DAYS",
    "ALL_OF_TRAINING",
    "ANOMALY",
    "DEFAULT_PATTERN",
    "LEAST_DAYS",
    "FileLimits",
    "FilePart",
    "JobFailed",
    "KeyPattern",
    "Label",
    "Labels",
    "ListedObject",
    "MergedComponent",
    "SecondReading",
    "Settings",
    "SourceFile",
    "TimeSpan",
    "ValidationError",
    "check_limits",
    "is_day_first",
    "is_folder",
    "notes_of",
    "parse",
    "read_csv",
    "repairs_of",
    "require_values",
    "second_reading",
    "select",
    "service_model",
    "too_large",
]
