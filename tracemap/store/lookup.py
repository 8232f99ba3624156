"""Find one trace by its id as people write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracemap.errors import NoDataError, PipelineError
from tracemap.store.buckets import trace_bucket
from tracemap.store.tables import read

if TYPE_CHECKING:
    import polars as pl

    from tracemap.model import TraceBucket
    from tracemap.store.tables import Connection

_HEX_DIGITS = re.compile(r"[0-9a-f]{1,32}")
_SHOWN = 5
_LOW_BITS = 2**64 - 1


def trace(connection: Connection, trace_id: str) -> TraceBucket:
    """Return the trace whose id is or begins with `trace_id`: up to 32 hex digits, in either case.

    An id of 64 bits may be written without its 16 leading zeros.

    Raises:
        PipelineError: If `trace_id` is not hex, or several ids begin with it.
        NoDataError: If no stored id does.
    """
    digits = trace_id.strip().lower()
    if not _HEX_DIGITS.fullmatch(digits):
        raise PipelineError(
            f"'{trace_id}' is not a trace id",
            hint="give up to 32 hex digits; list ids with: tracemap query 'FROM traces LIMIT 20'",
        )
    found = _beginning_with(connection, digits)
    if found.is_empty() and len(digits) <= 16:  # noqa: PLR2004 (hex digits of 64 bits)
        found = _beginning_with(connection, digits.zfill(32))
    if found.is_empty():
        raise NoDataError(
            f"no stored trace has an id that begins with '{trace_id}'",
            hint="list traces with: tracemap query 'FROM traces LIMIT 20'",
        )
    if found.height > 1:
        raise PipelineError(
            f"several traces have an id that begins with '{trace_id}'",
            hint=f"add digits; among them are {', '.join(found['trace_id'])}",
        )
    return trace_bucket(connection, found)


def _beginning_with(connection: Connection, digits: str) -> pl.DataFrame:
    """Return up to `_SHOWN` traces: id, ``first_ns``, ``last_ns`` and the id as hex."""
    low, high = int(digits.ljust(32, "0"), 16), int(digits.ljust(32, "f"), 16)
    return read(
        connection,
        """
        SELECT trace_high, trace_low, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
            format('{:016x}{:016x}', trace_high, trace_low) AS trace_id
        FROM trace_parts
        WHERE trace_high BETWEEN $least_high AND $most_high
            AND (trace_high > $least_high OR trace_low >= $least_low)
            AND (trace_high < $most_high OR trace_low <= $most_low)
        GROUP BY trace_high, trace_low
        ORDER BY trace_high, trace_low
        LIMIT $shown
        """,
        least_high=low >> 64,
        least_low=low & _LOW_BITS,
        most_high=high >> 64,
        most_low=high & _LOW_BITS,
        shown=_SHOWN,
    )
