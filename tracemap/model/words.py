"""Units of time, windows, span kinds, statuses and quality flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, IntFlag

import polars as pl

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS

HISTOGRAM_SCALE = 6
"""Log buckets per power of two are ``2**HISTOGRAM_SCALE``: any percentile is within 0.55 %."""
ZERO_BUCKET = -1_000_000
"""Bucket of a duration of zero."""
JACKKNIFE_BUCKETS = 50
"""Traces are spread over this many hash buckets for confidence intervals (docs/methods.md)."""

USER = "user"
"""Virtual downstream of a root ``SERVER`` span: somebody outside the export called."""
UNKNOWN = "unknown"
"""Virtual upstream of a ``CLIENT`` span that says nothing about whom it called."""
UNKNOWN_CALLER = "unknown caller"
"""Virtual downstream of a span whose parent ran elsewhere, as flags say, and is not in the data."""


class Kind(IntEnum):
    """Span kinds with OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Status(IntEnum):
    """Status codes with OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2


class Quality(IntFlag):
    """What was noticed about one span while it was read or stored (column ``quality``).

    What only other spans of its trace can tell (an orphan, a skewed clock) is counted by derive,
    in ``quality_facts``: another file may bring the missing span.
    """

    BAD_ID = 1
    ID_CONFLICT = 4
    SHARED_RESOLVED = 8
    END_MISSING = 128
    NEGATIVE_DURATION = 256
    START_INVALID = 512
    PRECISION_LOST = 1024
    SERVICE_MISSING = 2048
    SERVICE_INFERRED = 4096
    NAME_EMPTY = 8192
    OPERATION_TEMPLATED = 16384
    NO_SAMPLING_INFORMATION = 262144
    DROPPED_COUNTS = 524288
    KIND_UNSPECIFIED = 1048576
    TRACE_PARTIAL = 2097152
    TEXT_DAMAGED = 8388608


QUALITY_MEANINGS: dict[Quality, str] = {
    Quality.BAD_ID: "an id is not of the right length or not hex; a hash of it is used",
    Quality.ID_CONFLICT: "two different spans had the same id; this one was kept",
    Quality.SHARED_RESOLVED: "client and server shared one span id (Zipkin); they were told apart",
    Quality.END_MISSING: "no end: counted as a call, not in any latency",
    Quality.NEGATIVE_DURATION: "ends before it starts: counted as a call, not in any latency",
    Quality.START_INVALID: "the start is no possible time",
    Quality.PRECISION_LOST: "times had less than nanoseconds, or ids had passed through floats",
    Quality.SERVICE_MISSING: "no service name; `unknown_service`",
    Quality.SERVICE_INFERRED: "the service name was taken from another attribute",
    Quality.NAME_EMPTY: "the span has no name",
    Quality.OPERATION_TEMPLATED: "ids in its name or path were replaced to get an operation",
    Quality.NO_SAMPLING_INFORMATION: "nothing says how many spans this one stands for",
    Quality.DROPPED_COUNTS: "the SDK dropped attributes, events or links of it",
    Quality.KIND_UNSPECIFIED: "no span kind",
    Quality.TRACE_PARTIAL: "the back end it came from says that its trace is not complete",
    Quality.TEXT_DAMAGED: "some of its text was no valid UTF-8; what was not is shown as `\ufffd`",
}
"""What each bit means."""


@dataclass(frozen=True, order=True)
class Window:
    """A half-open stretch of time ``[start_ns, end_ns)``, nanoseconds since the epoch, UTC."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds."""
        return self.end_ns - self.start_ns

    def contains(self, time_ns: pl.Expr) -> pl.Expr:
        """Return the expression that is true where `time_ns` lies in the window."""
        return time_ns.ge(self.start_ns) & time_ns.lt(self.end_ns)

    def __str__(self) -> str:
        """Return both ends as ISO-8601 in UTC, for people: widened to whole seconds.

        What is asked for with these times holds all of the window.
        """
        start_s, end_s = self.start_ns // SECOND_NS, -(-self.end_ns // SECOND_NS)
        return f"{iso(start_s * SECOND_NS)} .. {iso(end_s * SECOND_NS)}"


def iso(time_ns: int) -> str:
    """Return a time as ISO-8601 in UTC, with as many decimals of a second as it needs (0, 3, 9)."""
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if rest_ns == 0:
        return f"{text}Z"
    milliseconds, below_ns = divmod(rest_ns, 1_000_000)
    return f"{text}.{milliseconds:03d}Z" if below_ns == 0 else f"{text}.{rest_ns:09d}Z"


_FIRST_YEAR, _LAST_YEAR = 1700, 2261
"""Years whose nanoseconds fit 64 bits, with room to look some weeks further."""
_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)


def from_iso(text: str) -> int:
    """Return an ISO-8601 time as nanoseconds since the epoch, the inverse of `iso`.

    A time without an offset is UTC; a date alone is its midnight. Up to nine decimals of a second
    count, which `datetime.fromisoformat` would cut to six.

    Raises:
        ValueError: If `text` is not such a time, or not of the years 1700 to 2261: nanoseconds of
            others do not fit 64 bits.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an ISO-8601 time: {text!r}")
    zone = (match["zone"] or "Z").upper()
    moment = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}{zone}")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"not of the years {_FIRST_YEAR} to {_LAST_YEAR}: {text!r}")
    fraction_ns = int((match["fraction"] or "0").ljust(9, "0"))
    return round(moment.timestamp()) * SECOND_NS + fraction_ns
