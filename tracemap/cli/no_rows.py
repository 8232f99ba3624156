"""Why a finding has no rows, in words, because an empty table alone could mean anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracemap.model import Findings

_NOTHING = {
    "edges": "no call between two services was observed in the window",
    "spikes": "no latency left its baseline",
    "propagation": "no call between two services was observed in both windows",
    "insulation": "no retry, timeout, breaker, hedge or fallback came into play",
    "errors": "no call failed in either window",
    "origins": "no service or edge explains enough of a change to be named",
    "bottlenecks": "no request was observed in the window",
    "dependencies": "no call between two services was observed in the window",
    "availability": "no request was observed in the window",
    "flow": "no request of users was observed in both windows",
    "flow_bands": "too few requests around p50, p95 and p99 in one of the windows",
    "trend": "no call between two services was observed",
    "budget": "no request of users failed in either window",
    "cycles": "no services call each other in a circle",
}
ACCUSES_NOBODY = "no service or edge is accused: requests of another kind came (cause mix)"
_COMPARING = frozenset(
    {"propagation", "errors", "origins", "flow", "flow_bands", "regressions", "budget"}
)


def why_no_rows(name: str, findings: Findings) -> str:
    """Return why the finding `name` is empty: no baseline, too little data, or nothing to tell.

    Args:
        name: A finding that was asked for alone.
        findings: What the run found.
    """
    called = name.replace("_", "-")
    if name in _COMPARING and findings.baseline is None:
        return f"no {called}: there is no baseline to compare with"
    if name in ("spikes", "propagation", "origins") and findings.verdict == "insufficient_data":
        return f"no {called}: there are too few calls to judge"
    return f"no {called}: {_NOTHING.get(name, 'there is nothing to tell')}"


def accuses_nobody(origins: Sequence[Mapping[str, object]]) -> bool:
    """Return whether there are origins, all of them other mixes of requests."""
    return bool(origins) and all(row["cause"] == "mix" for row in origins)
