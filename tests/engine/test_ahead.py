"""The next item is made while the last one is in use, and nothing is lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from tracemap.engine.ahead import ahead


def test_all_items_in_order() -> None:
    """What comes out is what went in."""
    assert list(ahead(number for number in range(5))) == list(range(5))
    assert list(ahead(number for number in range(0))) == []


def test_next_item_is_made_meanwhile() -> None:
    """While the first item is in use, the second one is on its way: no more, no less."""
    made: list[int] = []
    second = threading.Event()

    def items() -> Generator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    results = ahead(items())
    assert next(results) == 0
    assert second.wait(timeout=10)
    assert made == [0, 1]
    results.close()


def test_error_comes_where_its_item_would_have() -> None:
    """Items made before the error are not lost."""

    def items() -> Generator[int]:
        yield 1
        raise ZeroDivisionError

    results = ahead(items())
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_stopping_early_closes_what_makes_the_items() -> None:
    """A reader holds a database cursor; it must let go of it."""
    closed = threading.Event()

    def items() -> Generator[int]:
        try:
            yield from range(100)
        finally:
            closed.set()

    results = ahead(items())
    next(results)
    results.close()
    assert closed.is_set()
