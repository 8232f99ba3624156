"""Work in threads: the next item is made, and several are worked on, while one is in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(items: Generator[Item]) -> Generator[Item]:
    """Yield `items`, each made in another thread while the one before is in use.

    At most two items exist at a time: the one in use and the next one. An error raised by `items`
    is raised here, where its item would have come. Whoever stops early must close the result.
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        try:
            pending = reader.submit(next, items, None)
            while (item := pending.result()) is not None:
                pending = reader.submit(next, items, None)
                yield item
        finally:
            reader.submit(items.close)


def worked(
    items: Generator[Item], work: Callable[[Item], Result], *, workers: int
) -> Generator[Result]:
    """Yield ``work(item)`` for each item, in order, several at a time.

    At most `workers` items are worked on or wait to be yielded, and one more is being made. `work`
    must release Python's lock for most of its time, else nothing is gained. Errors of `items` and
    of `work` are raised here. Whoever stops early must close the result.
    """
    with closing(ahead(items)) as made, ThreadPoolExecutor(max_workers=workers) as pool:
        yield from _in_order(made, work, pool, workers)


def _in_order(
    items: Iterable[Item], work: Callable[[Item], Result], pool: ThreadPoolExecutor, most: int
) -> Generator[Result]:
    pending: deque[Future[Result]] = deque()
    for item in items:
        # with the context of whoever waits: spans of the work belong below the caller's
        pending.append(pool.submit(copy_context().run, work, item))
        if len(pending) >= most:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
