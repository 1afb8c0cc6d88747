"""The service's own reader of files, for commands that look at files without a deployment.

This module finds it for the process; every other module of this package imports what it needs from here.
"""

import sys

from l4e_cli.function_code import function_code

if str(function_code()) not in sys.path:
    sys.path.insert(0, str(function_code()))

from engine import (
    ComponentReport,
    FileReport,
    IllegalHeader,
    Repair,
    SensorStatistics,
    UnusableFile,
    convert_csv,
    convert_file,
    far_rows,
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
    "far_rows",
    "merge_component",
    "parse_timestamps",
]
