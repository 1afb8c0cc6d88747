"""Where the code of the Lambda functions lies, and the service model beside it.

A wheel carries it in `constructs_l4e/_lambdas`, a checkout has it in `lambdas`.
"""

from pathlib import Path


def function_code() -> Path:
    """Return the folder.

    Raises:
        FileNotFoundError: when there is none.
    """
    root = Path(__file__).resolve().parent.parent
    for folder in (root / "constructs_l4e" / "_lambdas", root / "lambdas"):
        if (folder / "engine").is_dir():
            return folder
    raise FileNotFoundError(f"no function code beside {root / 'l4e_cli'}: reinstall constructs-l4e")
