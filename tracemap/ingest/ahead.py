"""Work done ahead of the one who waits for it, on all cores, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
_WORKERS = 2
_AHEAD = 3


def in_order(tasks: Iterator[Callable[[], Result]]) -> Iterator[Result]:
    """Yield the results of `tasks` in their order.

    One thread advances `tasks` (which reads and decompresses), two run them; at most three
    results wait, so memory stays bounded. An exception comes out where its result would have.
    """
    waiting: deque[Future[Result]] = deque()
    with (
        ThreadPoolExecutor(1, "tracemap-read") as reading,
        ThreadPoolExecutor(_WORKERS, "tracemap-decode") as decoding,
    ):
        coming: Future[Callable[[], Result] | None] | None = reading.submit(next, tasks, None)
        while coming is not None or waiting:
            while coming is not None and len(waiting) < _AHEAD:
                task = coming.result()
                if task is None:
                    coming = None
                    break
                coming = reading.submit(next, tasks, None)
                waiting.append(decoding.submit(task))
            if waiting:
                yield waiting.popleft().result()
