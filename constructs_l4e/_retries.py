"""How often the state machines try a step again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from `first` to `longest` seconds, each shortened at random."""

    first: int
    longest: int
    attempts: int

    def retry(self, *errors: str) -> dict[str, object]:
        """Return the retrier of a state for these errors."""
        return {
            "ErrorEquals": list(errors),
            "IntervalSeconds": self.first,
            "BackoffRate": 2,
            "MaxAttempts": self.attempts,
            "MaxDelaySeconds": self.longest,
            "JitterStrategy": "FULL",
        }


SHORT_FAULTS = Backoff(first=1, longest=60, attempts=8)
"""For faults that pass in a minute or two."""

THROTTLED_FOR_AN_HOUR = Backoff(first=2, longest=120, attempts=66)
"""For an account whose concurrent functions are all in use: 61 minutes on average, as jitter halves waits."""
