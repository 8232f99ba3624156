"""The bundles of tables that one stage hands to the next: batches, facts, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.errors import InputError
from tracemap.model.facts import FACTS
from tracemap.model.findings import FINDINGS
from tracemap.model.ledger import CAUTIONS, FILES, SKEW
from tracemap.model.spans import LINKED_SPANS, LINKS, OPERATIONS, REJECTS, RESOURCES, SPANS
from tracemap.model.words import HOUR_NS, MINUTE_NS, Window

_WHOLE_FILES = ("not_a_trace_file", "empty_file", "unreadable_file")
"""Reasons of rejects that stand for a file, not for a record."""
Numbers: TypeAlias = NDArray[np.int64]


def _no_numbers() -> Numbers:
    return np.empty(0, np.int64)


@dataclass
class Batch:
    """What a reader gives for a piece of one file, in bounded size.

    Attributes:
        spans: As `SPANS`; ids point into this batch's own `operations` and `resources`.
        operations: As `OPERATIONS`, distinct.
        resources: As `RESOURCES`, distinct.
        links: As `LINKS`.
        rejects: As `REJECTS`.
        skipped: Records of other signals that were seen and left, by name (``logs``, ``metrics``).
    """

    spans: pl.DataFrame = field(default_factory=SPANS.empty)
    operations: pl.DataFrame = field(default_factory=OPERATIONS.empty)
    resources: pl.DataFrame = field(default_factory=RESOURCES.empty)
    links: pl.DataFrame = field(default_factory=LINKS.empty)
    rejects: pl.DataFrame = field(default_factory=REJECTS.empty)
    skipped: Mapping[str, int] = field(default_factory=dict)


class Reading(Protocol):
    """One trace file being read: the seam between ingest and store.

    Attributes:
        path: As shown to people; ``-`` for standard input.
        size_bytes: Size on disk; 0 where it cannot be known.
        format: Name in the registry of formats; known once `batches` gave its first batch.
        content_hash: Hash of the bytes on disk, 32 hex digits. None until known: after the last
            batch at the latest.
    """

    path: str
    size_bytes: int
    format: str
    content_hash: str | None

    def identify(self) -> None:
        """Make `content_hash` known before the last batch, if the bytes can be read twice."""
        ...

    def batches(self) -> Iterator[Batch]:
        """Yield the file's contents in order, each batch of bounded size.

        Raises:
            InputError: If the file cannot be read or holds nothing tracemap understands.
        """
        ...


@dataclass
class ParcelBatch(Batch):
    """What a reader gives for several small files together.

    Attributes:
        span_files: For each span the number, from 0, of the file it is from.
        reject_files: The same for each row of `rejects`.
        skipped_of: For each file how many of the records skipped are its.
    """

    span_files: Numbers = field(default_factory=_no_numbers)
    reject_files: Numbers = field(default_factory=_no_numbers)
    skipped_of: Numbers = field(default_factory=_no_numbers)


class ParcelFile(Protocol):
    """One file of a `Parcel`; the same words as of a `Reading`.

    Attributes:
        error: Why the file cannot be taken; None: it can.
    """

    path: str
    size_bytes: int
    format: str
    content_hash: str
    error: InputError | None


class Parcel(Protocol):
    """Some small files, read to be taken in together: one by one they would cost far more."""

    @property
    def files(self) -> Sequence[ParcelFile]:
        """The files, in order."""
        ...

    def batch(self, wanted: Sequence[int]) -> ParcelBatch:
        """Return what is in those files of `files` that are `wanted`, numbered in that order."""
        ...


@dataclass
class TraceBucket:
    """All spans of some whole traces, what `derive` works on at a time.

    Attributes:
        spans: As `SPANS` without ``attributes``, any order; ids point into the store's tables.
        operations: As `OPERATIONS`, at least the rows used.
        resources: As `RESOURCES` plus ``service``: the name of the node in the graph (String).
        linked_spans: As `LINKED_SPANS`.
    """

    spans: pl.DataFrame
    operations: pl.DataFrame
    resources: pl.DataFrame
    linked_spans: pl.DataFrame = field(default_factory=LINKED_SPANS.empty)


@dataclass(frozen=True)
class Cells:
    """Which cell of time a trace belongs to, by the start of the trace (its earliest span).

    With `windows` empty: the stored grid, `latency_ns` and `path_ns` wide. Otherwise the named
    windows: ``window_start_ns`` is the start of the first window that holds the trace's start,
    traces in none of them make no facts.

    With `collapse_proxies` calls lead from a proxy's caller to what is behind the proxy.
    """

    windows: tuple[Window, ...] = ()
    latency_ns: int = MINUTE_NS
    path_ns: int = HOUR_NS
    collapse_proxies: bool = False


@dataclass
class Facts:
    """Facts of some traces, one frame a table of `FACTS`. Facts of disjoint traces add up."""

    tables: dict[str, pl.DataFrame] = field(
        default_factory=lambda: {name: table.empty() for name, table in FACTS.items()}
    )

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Return the frame of one table."""
        return self.tables[name]

    @classmethod
    def concatenate(cls, parts: Iterable[Facts]) -> Facts:
        """Return all rows of `parts`; rows with equal keys are not yet summed."""
        listed = [cls(), *parts]
        return cls({name: pl.concat([part[name] for part in listed]) for name in FACTS})


@dataclass
class Ledger:
    """Where every record went: records read = spans stored + duplicates + rejected.

    Attributes:
        files: As `FILES`.
        rejects: Columns path, line, reason, records, excerpt.
        quality: Columns service, reason, spans: what is odd about stored spans.
        spans: Spans stored.
        traces: Distinct traces stored.
        services: Names of the services seen.
        covered: From the earliest start to just after the latest; None: no spans.
        split_traces: Traces that came in several pieces (files, or far apart in one).
        pruned: Spans that were stored and pruned; their facts are there.
        skew: As `SKEW`: how far clocks of hosts differ.
        cautions: As `CAUTIONS`: what limits how far the rest can be trusted.
    """

    files: pl.DataFrame = field(default_factory=FILES.empty)
    rejects: pl.DataFrame = field(default_factory=pl.DataFrame)
    quality: pl.DataFrame = field(default_factory=pl.DataFrame)
    spans: int = 0
    traces: int = 0
    services: tuple[str, ...] = ()
    covered: Window | None = None
    split_traces: int = 0
    pruned: int = 0
    skew: pl.DataFrame = field(default_factory=SKEW.empty)
    cautions: pl.DataFrame = field(default_factory=CAUTIONS.empty)

    @property
    def left_out(self) -> int:
        """Files that hold no spans at all: of other kinds, empty, or damaged from the start."""
        if self.rejects.is_empty():
            return 0
        return int(self.rejects.filter(pl.col("reason").is_in(_WHOLE_FILES))["records"].sum())

    @property
    def rejected(self) -> int:
        """Records rejected; a file that was left out is none."""
        return int(self.files["rejected"].sum()) - self.left_out


@dataclass(frozen=True)
class FailedRequests:
    """Requests of users in a window, and how many of them failed.

    Attributes:
        requests: How many there were.
        failed: How many of these failed.
        most: The short stretch of the window in which most of them failed; None: there is none.
    """

    requests: int = 0
    failed: int = 0
    most: Window | None = None

    @property
    def share(self) -> float:
        """Failed requests as a share of all, from 0 to 1."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass
class Findings:
    """Everything a report is made of; the report adds nothing but words and pictures.

    Attributes:
        recipe: Name of the recipe (``batch``, ``postmortem``).
        title: Title of the report.
        sections: Names of the sections wanted, in order.
        window: What was looked at; None: no data.
        incident: The part of the window that was compared; None: all of it, or nothing was.
        baseline: What it was compared with; None: nothing to compare with.
        baseline_reason: How the baseline was chosen, in words.
        verdict: ``incident``, ``quiet`` or ``insufficient_data``.
        tables: As `FINDINGS`, plus ``paths`` as `PATHS`.
        traces: Exemplars as `TRACE`, by role (``typical``, ``worst``).
        ledger: Where every record went.
        thresholds: Thresholds in force, by name.
        owners: Owner by service, where the spans or the recipe name one.
        failed_requests: How many requests of users failed in the window, whatever was compared.
    """

    recipe: str
    title: str
    sections: tuple[str, ...]
    window: Window | None = None
    baseline: Window | None = None
    baseline_reason: str = ""
    verdict: str = "insufficient_data"
    tables: dict[str, pl.DataFrame] = field(
        default_factory=lambda: {name: table.empty() for name, table in FINDINGS.items()}
    )
    traces: dict[str, pl.DataFrame] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    incident: Window | None = None
    failed_requests: FailedRequests = FailedRequests()
