"""The bad end of an import: its reason."""

from service.failed_reason import Error, WaysOut, exhaustion_reason, reason_of

_INGEST = "Ingest the files and train here instead, or import a dataset of fewer columns"
_WAYS_OUT = WaysOut(time=_INGEST, memory=_INGEST)


def import_reason(work: str, error: Error, *, execution: str, memory_mib: int | None) -> str:
    """Return the `FailedReason` of an import whose execution failed.

    Args:
        work: the import, as messages name it.
        error: `Error` and `Cause` of the execution.
        execution: name of the execution.
        memory_mib: memory of the function; None if it is not known.
    """
    exhausted = exhaustion_reason(error, work=work, ways_out=_WAYS_OUT, memory_mib=memory_mib)
    return exhausted or reason_of(error, work=work, execution=execution)
