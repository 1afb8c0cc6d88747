"""Where the command finds the service's reader: in a checkout, and in an installed wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = "import l4e_cli.reader, engine; print(engine.__file__)"


@pytest.mark.parametrize("folder", ["lambdas", "constructs_l4e/_lambdas"])
def test_the_reader_is_found_beside_the_package(tmp_path: Path, folder: str) -> None:
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "l4e_cli", tmp_path / "l4e_cli", ignore=without)
    shutil.copytree(ROOT / "lambdas", tmp_path / folder, ignore=without)
    if (ROOT / "l4e_files").is_dir():
        shutil.copytree(ROOT / "l4e_files", tmp_path / "l4e_files", ignore=without)

    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {CODE}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert Path(found.stdout.strip()).parents[1] == tmp_path / folder
