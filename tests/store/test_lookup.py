"""A trace is found by its id as people write it."""

from __future__ import annotations

import pytest

from tests.builders import reading, span
from tracemap.errors import NoDataError, PipelineError
from tracemap.store import Store

IDS = [(0xAB00, 1), (0xAB00, 2), (0xFF << 56, 2**64 - 1), (0, 0xC0FFEE)]


@pytest.fixture(autouse=True)
def _stored(store: Store) -> None:
    rows = [span(n, trace=low, trace_high=high) for n, (high, low) in enumerate(IDS, start=1)]
    store.append(reading(*rows, span(9, trace=0xC0FFEE, parent=4)))


def found(store: Store, trace_id: str) -> set[int]:
    return set(store.trace(trace_id).spans["span_id"])


@pytest.mark.parametrize("number", range(len(IDS)))
def test_whole_id(store: Store, number: int) -> None:
    """All 32 digits name one trace."""
    high, low = IDS[number]
    assert number + 1 in found(store, f"{high:016x}{low:016x}")


def test_all_spans_of_the_trace(store: Store) -> None:
    """The trace comes whole."""
    assert found(store, f"{0xC0FFEE:032x}") == {4, 9}


def test_beginning_that_fits_one_trace(store: Store) -> None:
    """As many digits as are needed, in either case."""
    assert found(store, "ff") == {3}
    assert found(store, " FFFF".replace("FFFF", "FF00")) == {3}


def test_id_of_64_bits_without_its_zeros(store: Store) -> None:
    """Jaeger and Zipkin write short ids without leading zeros."""
    assert found(store, "c0ffee") == {4, 9}
    assert found(store, "0000000000c0ffee") == {4, 9}


def test_beginning_that_fits_several_traces(store: Store) -> None:
    """The message names them."""
    with pytest.raises(PipelineError) as caught:
        store.trace("000000000000ab00")
    assert f"{0xAB00:016x}{1:016x}" in caught.value.hint
    assert f"{0xAB00:016x}{2:016x}" in caught.value.hint


def test_unknown_id(store: Store) -> None:
    """The hint says how to list what there is."""
    with pytest.raises(NoDataError) as caught:
        store.trace("1234")
    assert "tracemap query" in caught.value.hint


@pytest.mark.parametrize("text", ["", "xyz", "0x12", "1" * 33, "'; DROP TABLE files; --"])
def test_text_that_is_no_id(store: Store, text: str) -> None:
    """Anything but hex digits is refused before the database is asked."""
    with pytest.raises(PipelineError, match="is not a trace id"):
        store.trace(text)
