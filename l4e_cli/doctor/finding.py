"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "problem", "not checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the answer.

    Args:
        check: what was looked at, in a few words that stay the same from run to run.
        status: `not checked` when it could not be looked at.
        text: what was found, or why it could not be looked at.
        fix: what to do; every problem has one.
    """

    check: str
    status: Status
    text: str
    fix: str | None = None


def ok(check: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, status="ok", text=text)


def problem(check: str, text: str, *, fix: str) -> Finding:
    """Return what is wrong, and what to do."""
    return Finding(check=check, status="problem", text=text, fix=fix)


def not_checked(check: str, why: str, *, fix: str | None = None) -> Finding:
    """Return why a check could not be made, and what would let it be made."""
    return Finding(check=check, status="not checked", text=why, fix=fix)
