"""What a decoder could not take, as rows that name the place and the reason."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from tracemap.ingest.block import Block
from tracemap.ingest.kernels.layout import (
    BAD_PROTOBUF,
    BAD_SYNTAX,
    CUT_SHORT,
    NOT_OTLP,
    REASONS,
    REJECTS_MORE,
    Columns,
    Ints,
)
from tracemap.ingest.kernels.layout import REJECTS as REJECT_COUNT
from tracemap.model import REJECTS

_EXCERPT_BYTES = 200
_CUT = REASONS[CUT_SHORT]
_Row = tuple[int, str, int, str]


class TooManyRejectsError(Exception):
    """Joined blocks hold more rejects than are listed one by one: decode fewer at a time."""


def rejected_of(block: Block, columns: Columns) -> tuple[pl.DataFrame, Ints]:
    """Return the rejects (`model.REJECTS`) of `block`, and the part of it that each one is of.

    Raises:
        TooManyRejectsError: If there are too many to tell of which of several parts they are.
    """
    state = columns.registers
    parts = block.parts or (block,)
    more = int(state[REJECTS_MORE])
    if more and len(parts) > 1:
        raise TooManyRejectsError
    found: dict[int, list[_Row]] = defaultdict(list)
    for number, part in enumerate(parts):
        if part.rejects:
            rows = [(each.line, each.reason, 1, excerpt(each.excerpt)) for each in part.rejects]
            found[number] += rows
    owners = block.owners()
    first_records = np.searchsorted(owners, np.arange(len(parts)))
    for record, reason, start, end in columns.rejects[: state[REJECT_COUNT]].tolist():
        number = int(owners[record])
        within = record - int(first_records[number])
        found[number].append(_row(parts[number], within, reason, bytes(block.data[start:end])))
    if more:
        line, why, _, shown = found[0][-1]
        found[0].append((line, why, more, shown))
    for number, part in enumerate(parts):
        for why in part.broken:
            # A record that was cut is the one that is missing; it must not count twice.
            if why != _CUT or not found[number] or found[number][-1][1] != _CUT:
                found[number].append((part.first + len(part.bounds), why, 1, ""))
    listed = [(row, number) for number in sorted(found) for row in found[number]]
    frame = pl.DataFrame([row for row, _ in listed], schema=REJECTS.schema, orient="row")
    return frame, np.array([number for _, number in listed], np.int64)


def _row(part: Block, record: int, reason: int, rejected: bytes) -> _Row:
    """Return the row of what the decoder rejected of a record, which is `record` of its part."""
    whole = reason <= NOT_OTLP or reason == BAD_PROTOBUF
    if reason in (CUT_SHORT, BAD_PROTOBUF) and part.cut_short and record + 1 == len(part.bounds):
        reason = CUT_SHORT
    elif reason == CUT_SHORT:
        reason = BAD_SYNTAX
    lost = _spans_in(rejected) if whole else 1
    return part.first + record, REASONS[reason], lost, excerpt(rejected)


def _spans_in(record: bytes) -> int:
    """Return how many spans a broken JSON record seems to hold, at least 1."""
    return max(1, record.count(b'"startTimeUnixNano"') + record.count(b'"start_time_unix_nano"'))


def excerpt(start: bytes) -> str:
    """Return the first bytes of something as text that a database takes."""
    return start[:_EXCERPT_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
