"""Run tasks ahead of their consumer on all cores, and yield the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from tracemap.self_trace import stage

Result = TypeVar("Result")
_WORKERS = 2
_AHEAD = 3


def in_order(tasks: Iterator[Callable[[], Result]], *, reading_is: str) -> Iterator[Result]:
    """Yield the results of `tasks` in their order.

    One thread advances `tasks` (which reads and decompresses), two run them; at most three
    results wait, so memory stays bounded. An exception comes out where its result would have.
    `reading_is` names the stage of advancing (`tracemap.self_trace`).
    """

    def advanced() -> Callable[[], Result] | None:
        with stage(reading_is):
            return next(tasks, None)

    waiting: deque[Future[Result]] = deque()
    with (
        ThreadPoolExecutor(1, "tracemap-read") as reading,
        ThreadPoolExecutor(_WORKERS, "tracemap-decode") as decoding,
    ):
        coming: Future[Callable[[], Result] | None] | None = reading.submit(
            copy_context().run, advanced
        )
        while coming is not None or waiting:
            while coming is not None and len(waiting) < _AHEAD:
                task = coming.result()
                if task is None:
                    coming = None
                    break
                coming = reading.submit(copy_context().run, advanced)
                waiting.append(decoding.submit(copy_context().run, task))
            if waiting:
                yield waiting.popleft().result()
