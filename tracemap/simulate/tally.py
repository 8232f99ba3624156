"""What each mechanism did in a run, per pair of operations: retries, timeouts, fast failures."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tracemap.simulate.attempts import Hop
from tracemap.simulate.without import Safeguard

COUNTS = {
    "calls": "calls downstream wanted to make, cache hits left out",
    "attempts": "attempts that reached upstream, retries and hedges included",
    "failed attempts": "attempts that failed or timed out",
    "retries": "attempts after a failed one",
    "recovered": "calls that went well after a failed attempt",
    "timeouts": "attempts that downstream left",
    "fast failures": "calls the circuit breaker did not let through",
    "hedges": "second attempts beside a slow one",
    "hedges won": "those whose answer came first",
    "cache hits": "calls not made because a cache had the answer",
    "fallbacks": "calls of something else after a failure",
    "fallbacks answered": "those that went well",
}
"""What is counted, and what it means."""


def tally_rows(
    tally: Counter[tuple[Hop, str]], safeguards: list[Safeguard]
) -> list[dict[str, Any]]:
    """Return one row per pair of operations whose calls have a mechanism, sorted.

    ``amplification`` is attempts by calls; ``abandoned_ms`` is what upstream worked on after
    downstream had left.
    """
    hops = sorted({(one.downstream, one.upstream) for one in safeguards})
    return [
        {
            "downstream": hop[0].service,
            "downstream_operation": hop[0].operation,
            "upstream": hop[1].service,
            "upstream_operation": hop[1].operation,
            "mechanisms": [one.mechanism for one in safeguards if one[:2] == hop],
            **{name.replace(" ", "_"): tally[hop, name] for name in COUNTS},
            "abandoned_ms": round(tally[hop, "abandoned ns"] / 1_000_000, 3),
            "amplification": _ratio(tally[hop, "attempts"], tally[hop, "calls"]),
        }
        for hop in hops
    ]


def _ratio(attempts: int, calls: int) -> float | None:
    return round(attempts / calls, 4) if calls else None
