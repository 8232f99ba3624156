"""QUALITY_FACTS: where every span went, and what is odd about some.

Every span has exactly one of the reasons in `DISPOSITIONS`, so those sum to the number of spans:
``in_edge`` if it is the client, the server, the producer or the consumer of at least one edge, else
``no_edge_*`` with why not. The reasons in `ODDITIES` come on top, and those in `MARKS`: what was
noticed while the spans were read.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Ints, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.derive.roles import Fold
from tracemap.derive.spans import KNOWN_LOCAL, KNOWN_REMOTE, REMOTE_MASK, Resolution, Spans
from tracemap.derive.tree import Above, Tree
from tracemap.model import HOUR_NS, QUALITY_FACTS, Quality

IN_EDGE = "in_edge"
DISPOSITIONS = {
    IN_EDGE: "client, server, producer or consumer of at least one edge",
    "no_edge_internal": "work inside a service",
    "no_edge_nested_server": "a second SERVER span for the same request",
    "no_edge_nested_consumer": "a second CONSUMER span for the same message",
    "no_edge_transport": "a CLIENT span below the call it carries",
    "no_edge_wrapper": "a CLIENT span above the calls it makes",
    "no_edge_settle": "acknowledges a message",
    "no_edge_create": "makes a message that another span sends",
    "no_edge_received": "fetches messages that spans below it process",
    "no_edge_root": "a root that is no SERVER span: nobody outside called it",
    "no_edge_orphan_remote": "its parent is not in the trace and ran elsewhere, as flags say",
    "no_edge_orphan_local": "its parent is not in the trace and ran in the same process",
    "no_edge_orphan": "its parent is not in the trace",
    "no_edge_cycle": "its parents led back to itself",
}
"""Where a span can go, with the meaning: exactly one holds for each span."""
ODDITIES = {
    "orphan": "the parent is not in the trace; the span is the root of what lies below it",
    "cycle_cut": "the span named itself or one of its descendants as its parent",
    "duration_unknown": "no end: counted as a call, not in any latency",
    "duration_negative": "ends before it starts: counted as a call, not in any latency",
    "clock_skew": "the entry does not lie within its client although it is not longer",
    "abandoned": "the entry took longer than its client waited",
    "multi_server": "a further entry below one CLIENT span",
    "missing_server": "the call names a service of this export, but no span of it is below",
    "host_inferred": "the upstream service was found by the host name",
    "recursion_folded": "an operation that calls itself: one step of a call path",
    "path_capped": "too many calls deep: folded into the last entry of its call path",
    "wait_negative": "a message was consumed before it was sent: clocks disagree",
    "multiple_roots": "a root of a trace that has several",
    "huge_trace": "its trace has more than 100,000 spans",
    "trace_id_reuse": "its trace pauses for an hour and then begins anew with another root",
    "sampled": "stands for more than one span",
    "proxy": "recorded by a proxy (sidecar, ingress, mesh), as its resource says",
}
"""What else is counted, with the meaning; any number of them hold for a span."""
HUGE_SPANS = 100_000
"""A trace with more spans is huge: a batch job, or one id used for everything."""
REUSE_PAUSE_NS = HOUR_NS
"""A trace in which nothing runs for this long, and which then has another root, is two traces."""
MARKS = {
    flag: flag.name.lower()
    for flag in Quality
    if flag.name and flag not in (Quality.END_MISSING, Quality.NEGATIVE_DURATION)
}
"""Bits of a span that are counted under their own names; the two left out are counted above."""

_FOLDS = {
    Fold.INTERNAL: "no_edge_internal",
    Fold.NESTED_SERVER: "no_edge_nested_server",
    Fold.NESTED_CONSUMER: "no_edge_nested_consumer",
    Fold.TRANSPORT: "no_edge_transport",
    Fold.WRAPPER: "no_edge_wrapper",
    Fold.SETTLE: "no_edge_settle",
    Fold.CREATE: "no_edge_create",
}


def quality_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return counts per cell, service and reason, as `model.QUALITY_FACTS`, sorted by key."""
    spans = derived.spans
    rows = {
        reason: np.flatnonzero(mask)
        for reason, mask in (_dispositions(derived) | _oddities(derived)).items()
    }
    reasons = sorted(rows)
    every = np.concatenate([rows[reason] for reason in reasons])
    sizes = [rows[reason].size for reason in reasons]
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[every]],
            "service": spans.service[every],
            "reason": np.repeat(np.arange(len(reasons), dtype=np.int32), sizes),
        },
        {},
    )
    return QUALITY_FACTS.conform(
        summed.with_columns(
            grid.decoded("cell"),
            *spans.vocabulary.decoded("service"),
            pl.lit(pl.Series(reasons)).gather(pl.col("reason")).alias("reason"),
            spans=pl.col("rows"),
        )
    )


def _dispositions(derived: Derived) -> dict[str, Bools]:
    """Return which spans went where; the first that holds, in order, is the one."""
    spans, tree, roles, messages = derived.spans, derived.tree, derived.roles, derived.messages
    in_edge = roles.call & (roles.first_entry >= 0)
    for rows in (derived.calls.client, derived.calls.server):
        in_edge[rows[rows >= 0]] = True
    remote = spans.flags & REMOTE_MASK
    orphan = tree.above == Above.ORPHAN
    candidates = [(IN_EDGE, in_edge), ("no_edge_received", messages.received)]
    candidates += [(reason, ~roles.entry & (roles.fold == fold)) for fold, reason in _FOLDS.items()]
    candidates += [
        ("no_edge_root", tree.above == Above.ROOT),
        ("no_edge_orphan_remote", orphan & (remote == KNOWN_REMOTE)),
        ("no_edge_orphan_local", orphan & (remote == KNOWN_LOCAL)),
        ("no_edge_orphan", orphan),
        ("no_edge_cycle", tree.above == Above.CUT),
    ]
    left = np.ones(len(spans), dtype=np.bool_)
    masks = {}
    for reason, mask in candidates:
        masks[reason] = mask & left
        left &= ~mask
    masks["no_edge_internal"] |= left
    return masks


def _marks(spans: Spans) -> dict[str, Bools]:
    """Return which spans have which mark; marks that none has are left out."""
    seen = int(np.bitwise_or.reduce(spans.quality, initial=0))
    return {
        reason: (spans.quality & np.uint32(flag)) != 0
        for flag, reason in MARKS.items()
        if seen & flag
    }


def _of_traces(spans: Spans, tree: Tree) -> dict[str, Bools]:
    """Return which spans belong to odd traces."""
    root = tree.above == Above.ROOT
    size = np.diff(spans.offsets)
    roots = np.bincount(spans.trace[root], minlength=size.size)
    dated = (spans.quality & np.uint32(Quality.START_INVALID)) == 0
    reused = _reused(spans.offsets, spans.start, spans.duration, root, dated)
    return {
        "multiple_roots": root & (roots > 1)[spans.trace],
        "huge_trace": (size > HUGE_SPANS)[spans.trace],
        "trace_id_reuse": reused[spans.trace],
    }


@kernel
def _reused(offsets: Ints, start: Ints, duration: Ints, root: Bools, dated: Bools) -> Bools:
    """Return which traces begin anew with a root after nothing ran for `REUSE_PAUSE_NS`."""
    reused = np.zeros(offsets.size - 1, dtype=np.bool_)
    for trace in range(offsets.size - 1):
        end = np.int64(-1)
        paused = False
        for row in range(offsets[trace], offsets[trace + 1]):
            if not dated[row]:
                continue
            paused |= 0 <= end < start[row] - REUSE_PAUSE_NS
            reused[trace] |= paused and root[row]
            end = max(end, start[row] + max(duration[row], 0))
    return reused


def _oddities(derived: Derived) -> dict[str, Bools]:
    spans, tree, roles, steps = derived.spans, derived.tree, derived.roles, derived.steps
    client, duration, start = roles.client, spans.duration, spans.start
    paired = steps.tiling.paired & (duration >= 0) & (duration[client] >= 0)
    longer = duration > duration[client]
    outside = (start < start[client]) | (start + duration > start[client] + duration[client])
    virtual = roles.call & (roles.first_entry < 0)
    reached = roles.entry & (client >= 0)
    waits = derived.messages.waits
    early = np.zeros(len(spans), dtype=np.bool_)
    early[waits.row[waits.ns < 0]] = True
    return {
        "orphan": tree.above == Above.ORPHAN,
        "cycle_cut": tree.above == Above.CUT,
        "duration_unknown": (duration < 0) & ~spans.negative,
        "duration_negative": spans.negative,
        "clock_skew": paired & outside & ~longer,
        "abandoned": paired & longer,
        "multi_server": reached & (roles.first_entry[client] != np.arange(len(spans))),
        "missing_server": virtual & (spans.resolution != Resolution.NONE),
        "host_inferred": virtual & (spans.resolution == Resolution.HOST),
        "recursion_folded": steps.collapsed & roles.entry,
        "path_capped": steps.capped,
        "wait_negative": early,
        "sampled": spans.weight > 1.0,
        "proxy": spans.proxy,
        **_of_traces(spans, tree),
        **_marks(spans),
    }
