"""Read ahead: the next item is made while the last one is worked on."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


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
