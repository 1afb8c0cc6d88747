"""The service's own reader of files, for commands that look at files without a deployment.

A wheel carries the code of the Lambda functions in `constructs_l4e/_lambdas`, a checkout has it in `lambdas`.
This module finds it for the process; every other module of this package imports what it needs from here.
"""

import sys
from pathlib import Path

sys.path[:0] = [
    str(folder)
    for folder in (
        Path(__file__).resolve().parent.parent / "constructs_l4e" / "_lambdas",
        Path(__file__).resolve().parent.parent / "lambdas",
    )
    if (folder / "engine").is_dir() and str(folder) not in sys.path
][:1]

from engine import (  # noqa: E402
    ComponentReport,
    FileReport,
    IllegalHeader,
    Repair,
    SensorStatistics,
    UnusableFile,
    convert_csv,
    convert_file,
    merge_component,
    parse_timestamps,
)

__all__ = [
    "ComponentReport",
    "FileReport",
    "IllegalHeader",
    "Repair",
    "SensorStatistics",
    "UnusableFile",
    "convert_csv",
    "convert_file",
    "merge_component",
    "parse_timestamps",
]
