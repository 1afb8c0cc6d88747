"""Work that is done behind the back of whoever uses its results."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 1) -> Iterator[T]:
    """Yield the items of an iterator, up to ``depth`` of them made while the one before is worked on."""
    with ThreadPoolExecutor(1) as maker:
        coming: deque[Future[T | None]] = deque(maker.submit(next, items, None) for _ in range(depth))
        while (item := coming.popleft().result()) is not None:
            coming.append(maker.submit(next, items, None))
            yield item
