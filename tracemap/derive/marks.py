"""What an error says about itself: that time was up, that no call was made, that it was left."""

from __future__ import annotations

import re
from enum import IntFlag

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bytes


class Mark(IntFlag):
    """What a span's error type, HTTP status and resend count say."""

    TIMED_OUT = 1
    """The caller's, or anybody's, time was up."""
    REFUSED = 2
    """A circuit breaker or the like made no call."""
    CANCELLED = 4
    """The caller left for another reason, such as an answer from elsewhere."""
    CHALLENGED = 8
    """A redirect or a request for credentials: sending again is no retry."""
    RESENT = 16
    """It says itself that it is a resend."""


_TYPES = (
    (Mark.TIMED_OUT, r"time_?d?_?out|deadline_?exceeded|read_?timed"),
    (Mark.REFUSED, r"circuit_?breaker|call_?not_?permitted|broken_?circuit|bulkhead|circuit_?open"),
    (Mark.CANCELLED, r"cancell?ed"),
)
_TIMED_OUT, _CANCELLED, _CHALLENGED = (408, 504), (499,), (401, 407)
_REDIRECTS = (300, 400)


def marks(rows: pl.DataFrame) -> Bytes:
    """Return the bits of `Mark` for each row of spans (columns as `model.SPANS`)."""
    http, resend = pl.col("http_status"), pl.col("resend_count")
    redirected = http.is_between(*_REDIRECTS, closed="left")
    coded = rows.select(
        _bit(http.is_in(_TIMED_OUT), Mark.TIMED_OUT)
        | _bit(http.is_in(_CANCELLED), Mark.CANCELLED)
        | _bit(http.is_in(_CHALLENGED) | redirected, Mark.CHALLENGED)
        | _bit(resend > 0, Mark.RESENT)
    ).to_series()
    found: Bytes = np.array(coded.to_numpy(), dtype=np.uint8)
    types = rows["error_type"]
    said = types.is_not_null().arg_true()
    if len(said):
        found[said.to_numpy()] |= _said(types.gather(said))
    return found


def _bit(holds: pl.Expr, mark: Mark) -> pl.Expr:
    one, zero = (pl.lit(value, dtype=pl.UInt8) for value in (int(mark), 0))
    return pl.when(holds).then(one).otherwise(zero)


def _said(types: pl.Series) -> Bytes:
    """Return what each error type means by its name."""
    distinct = types.unique()
    meanings = [
        sum(int(mark) for mark, pattern in _TYPES if re.search(pattern, text, re.IGNORECASE))
        for text in distinct.to_list()
    ]
    looked_up = types.replace_strict(distinct, meanings, return_dtype=pl.UInt8)
    return np.array(looked_up.to_numpy(), dtype=np.uint8)
