"""Terms of what was observed: calls, percentiles, own time."""

from __future__ import annotations

from tracemap.report.terms.definition import Definition

TERMS = (
    Definition(
        "calls",
        "Calls",
        "How often downstream reached upstream: one for each pair of client and server span, one "
        "for a client span whose upstream recorded nothing, one for a message received.",
        limits="An attempt is a call: retries are counted each. In a sampled export these are the "
        "calls that were kept; the weighted number estimates how many there were.",
    ),
    Definition(
        "weighted-calls",
        "Weighted calls",
        "How many calls the kept ones stand for, by the sampling probability each trace carries.",
        formula="sum of 2^56 / (2^56 - threshold) over the calls kept",
        example="At a probability of 10 %, 120 calls kept stand for 1,200.",
        limits="A trace without any mark counts as one. Where slow traces were kept on purpose "
        "(tail sampling), percentiles are too high and no weight can mend that.",
    ),
    Definition(
        "retries",
        "Retries",
        "Calls that were made again: the one before it, of the same request to the same operation, "
        "had failed.",
        limits="Attempts that a library makes below one client span are seen where upstream "
        "records each. A loop in which one call fails looks the same.",
    ),
    Definition(
        "failed-calls",
        "Failed calls",
        "Calls that ended with status ERROR, counted on each side on its own: what downstream saw "
        "and what upstream recorded.",
        example="12 seen downstream and 0 upstream: the calls were lost on the way or timed out.",
    ),
    Definition(
        "percentiles",
        "Percentiles",
        "p95 is the duration that 95 of 100 calls do not exceed; p50 is the median. On an edge it "
        "is what downstream waited; where there is no client span, what upstream took.",
        formula="from a histogram whose buckets are 1.1 % wide, so any percentile is within 0.55 %",
        limits="Percentiles never add up or average; each is read from its own calls.",
    ),
    Definition(
        "gap",
        "Gap",
        "What downstream waited minus what upstream took, call by call: network, TLS, connection "
        "pool and queue.",
        formula="gap = client duration - server duration",
        example="Client 48 ms, server 41 ms: the gap is 7 ms.",
        limits="Only durations go into it, so clocks that disagree cannot touch it. Unknown where "
        "one of the two spans is missing.",
    ),
    Definition(
        "evidence",
        "Evidence",
        "The rules by which an edge was seen, with how often each applied: paired client and "
        "server spans, a peer named by the client, a link between spans, and others.",
        limits="An edge that is missing was not observed, which is not proof that it is gone.",
    ),
    Definition(
        "own-time",
        "Own time",
        "The part of an operation's duration in which it waited for none of its calls.",
        formula="duration = own time + on-path time of its calls, exact to the nanosecond",
        example="100 ms long, one call from 20 to 70 ms: own time is 50 ms.",
        limits="Calls that were not recorded count as own time. Where calls run side by side, the "
        "one that returns last is on the path, then whatever had to end before it began.",
    ),
    Definition(
        "critical-path",
        "Critical path",
        "The chain of own times that adds up to a trace's duration: making any other span faster "
        "would not have made this trace faster.",
        formula="sum of critical time over all spans = duration of the root span",
    ),
)
