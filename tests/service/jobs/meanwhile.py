"""What other processes do to a job while it is at work."""

from collections.abc import Callable
from typing import Any

import pytest

from service.storage.store import Store, Update, Write


def ended_before(patch: pytest.MonkeyPatch, pk: str, end: Callable[[Store], Any]) -> None:
    """Let another process `end` a job right before the first transaction that changes a record of `pk`."""
    transact = Store.transact

    def late(store: Store, *writes: Write) -> None:
        if any(isinstance(write, Update) and write.pk == pk for write in writes):
            patch.setattr(Store, "transact", transact)
            end(store)
        transact(store, *writes)

    patch.setattr(Store, "transact", late)
