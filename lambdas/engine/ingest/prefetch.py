"""Fetch the next items of an iterator in the background."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T], depth: int = 1) -> Generator[T]:
    """Yield the items of an iterator; a thread computes the next ones while the caller uses the current one.

    Args:
        items: The iterator; it must not yield `None`.
        depth: How many items are computed in advance.
    """
    with ThreadPoolExecutor(1) as background:
        pending: deque[Future[T | None]] = deque(background.submit(next, items, None) for _ in range(depth))
        while (item := pending.popleft().result()) is not None:
            pending.append(background.submit(next, items, None))
            yield item
