"""What can happen to a call, before it is counted: the rows that become PATTERN_FACTS."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np

from tracemap.derive.arrays import Bytes, Codes, Ints, Rows

NO_ROW = -1
"""No other call, no other edge."""
NOT_SHOWN = -1
"""Size of an event that is never an exemplar."""


class Pattern(IntEnum):
    """What is counted; docs/methods.md#pattern-facts says what part and times mean."""

    REQUEST = 0
    """A request that makes the call, once or more."""
    ATTEMPT = 1
    """One call of a series."""
    IN_A_ROW = 2
    """A request that makes many calls of one operation, one after another."""
    AT_ONCE = 3
    """A request that makes many calls of one operation side by side."""
    NEXT = 4
    """A call of something else that began when this one had gone well."""
    AFTER_FAILURE = 5
    """A call of something else that began when this one had failed."""
    TIMEOUT = 6
    """A call that was given up when its time was over."""
    FAST_FAILURE = 7
    """A call that failed at once without reaching a server."""
    HEDGE = 8
    """A second call beside a slow one, of which one was left."""
    INSTANCE = 9
    """A call that one instance of upstream answered."""


NAMES = tuple(pattern.name.lower() for pattern in Pattern)
"""How patterns are called in facts, by number."""


@dataclass(frozen=True)
class Events:
    """Things that happened; every field has one item an event.

    Attributes:
        pattern: As `Pattern`.
        site: Number of the edge between operations.
        part: As docs/methods.md#pattern-facts says, by pattern.
        other: Number of the edge called after it, else `NO_ROW`.
        time_ns, extra_ns: As docs/methods.md#pattern-facts says, by pattern.
        delay_ns: Of which squares are summed.
        row: Row of the client span.
        other_row: Row of the other client span, or `NO_ROW`.
        size_ns: How well it shows the pattern, or `NOT_SHOWN`.
    """

    pattern: Bytes
    site: Codes
    part: Codes
    other: Codes
    time_ns: Ints
    extra_ns: Ints
    delay_ns: Ints
    row: Rows
    other_row: Rows
    size_ns: Ints


def events(pattern: Pattern, row: Rows, site: Codes, **others: Any) -> Events:  # noqa: ANN401
    """Return events of one pattern; fields not given are zero, or none, or not shown."""
    given = {
        "pattern": np.uint8(pattern),
        "part": np.int32(0),
        "other": np.int32(NO_ROW),
        "time_ns": np.int64(0),
        "extra_ns": np.int64(0),
        "delay_ns": np.int64(0),
        "other_row": np.int32(NO_ROW),
        "size_ns": np.int64(NOT_SHOWN),
        "row": row,
        "site": site,
        **others,
    }
    return Events(**{name: np.broadcast_to(values, row.size) for name, values in given.items()})


def together(parts: list[Events]) -> Events:
    """Return all events of `parts`."""
    return Events(
        **{
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(Events)
        }
    )
