"""Terms of how far the data can be trusted."""

from __future__ import annotations

from tracemap.report.terms.definition import Definition

TERMS = (
    Definition(
        "ledger-equation",
        "Ledger equation",
        "Where every span record went: stored, known already, or rejected with a reason.",
        formula="records = spans + duplicates + rejected",
    ),
    Definition(
        "quality",
        "Quality",
        "Where each stored span went (into an edge, or why not; exactly one place each), and what "
        "is odd about some: orphans, missing ends, clocks that disagree. They stay in; the counts "
        "say how far to trust the rest.",
    ),
    Definition(
        "clock-skew",
        "Clock skew",
        "What is to be added to the clock of one host to agree with another, by the calls between "
        "them. It is measured, never applied: durations and gaps do not depend on clocks.",
        formula="at least the 99th percentile of (client start - server start), at most the 1st "
        "percentile of (client end - server end); 0 if that leaves room for it, else the end "
        "nearest to 0",
        example="A client span from 0 to 100 ms and its server span from 530 to 590 ms by the "
        "server's clock: at least -530 ms, at most -490 ms, so that clock is 490 ms ahead, "
        "uncertain by 40 ms.",
        limits="Fewer than `min_call_count` calls say nothing. Hosts that name themselves in no "
        "attribute are taken together by service. Only calls in both directions make it narrow.",
    ),
)
