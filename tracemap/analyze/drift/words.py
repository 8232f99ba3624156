"""What an edge is called by what changed: slower, more errors, re-routed, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracemap.model import USER

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

ORDER = (
    "slower", "more errors", "re-routed", "new", "gone", "more calls", "fewer calls", "faster",
    "fewer errors", "changed evidence", "changed protocol", "other mix",
    "sampled differently", "not observed",
    "not observed before", "steady", "too few calls",
)  # fmt: skip
"""All words, what matters most first."""
_SINCE = {
    **dict.fromkeys(("slower", "faster"), ("upstream", "latency_since")),
    **dict.fromkeys(("more errors", "fewer errors"), ("upstream", "errors_since")),
    **dict.fromkeys(
        ("re-routed", "new", "gone", "more calls", "fewer calls"), ("downstream", "calls_since")
    ),
}
"""By change: whose version, and which measure."""
_NS_PER_MS = 1e6
Row = dict[str, Any]


def changes_of(row: Row, limits: Thresholds) -> Row:
    """Return the changes of an edge, the most telling first, with what speaks for them.

    Args:
        row: One edge: the columns of `model.DRIFT` that are known, ``presence`` and ``reason``
            (null where seen on both sides), ``*_certain``, ``rules``, ``protocols``, ``*_since``.
        limits: Thresholds.

    Returns:
        ``change``, ``changes``, ``detail``, ``since_service`` and ``since_version``.
    """
    found: dict[str, str] = {}
    if row["presence"]:
        word = "re-routed" if row["instead"] and row["presence"] in {"new", "gone"} else ""
        found[word or row["presence"]] = row["reason"]
    else:
        found |= _latency(row, limits) | _errors(row, limits) | _calls(row, limits)
        found |= _evidence(row, limits)
        if row["instead"] and {"more calls", "fewer calls"} & set(found):
            found["re-routed"] = ""
    if "re-routed" in found:
        ways = ("from", "to") if row["calls"] > 0 and not _is_losing(row) else ("to", "from")
        found["re-routed"] = f"calls moved {ways[0]} {row['instead']}"
    if not found:
        is_thin = min(row["calls"], row["baseline_calls"]) < limits.min_call_count
        found = {"too few calls" if is_thin else "steady": ""}
    words = sorted(found, key=ORDER.index)
    service, version = _since(words[0], row)
    said = [found[word] for word in words if found[word]]
    if version is not None:
        said.append(f"since version {version} of {service}")
    return {
        "change": words[0], "changes": words, "detail": "; ".join(said),
        "since_service": service, "since_version": version,
    }  # fmt: skip


def _since(change: str, row: Row) -> tuple[str | None, str | None]:
    """Return with which new version of which end the change began; None: with none.

    How an edge answers is up to upstream's version, whom to call is up to downstream's.
    """
    end, measure = _SINCE.get(change, ("", ""))
    version = row[measure] if measure else None
    return (None, None) if version is None else (row[end], version)


def _is_losing(row: Row) -> bool:
    """Return whether calls moved away from this edge rather than to it."""
    if row["presence"]:
        return bool(row["presence"] == "gone")
    return (row["calls_ratio"] or 1.0) < 1


def _latency(row: Row, limits: Thresholds) -> dict[str, str]:
    """Return whether the edge is slower or faster, or only differently used.

    A percentile counts that rose by `Thresholds.drift_ratio` and `drift_rise_ms` and is certain,
    and still by that ratio without the one day that did most for it. It must have risen by as much
    with the mix of operations held still; else the mix did it.
    """
    found: dict[str, str] = {}
    for name in ("p95", "p50", "p99"):
        ratio, speed = row[f"{name}_ratio"], row[f"{name}_speed_ratio"]
        if ratio is None or not row[f"{name}_certain"]:
            continue
        change_ms = abs(row[f"{name}_ns"] - row[f"baseline_{name}_ns"]) / _NS_PER_MS
        size = max(ratio, 1 / ratio)
        if size < limits.drift_ratio or change_ms < limits.drift_rise_ms:
            continue
        steady = row[f"{name}_steady_ratio"]
        if (
            steady is None
            or max(steady, 1 / steady) < limits.drift_ratio
            or ((steady > 1) != (ratio > 1))
        ):
            continue  # one day made it
        held = ratio if speed is None else speed
        is_speed = held >= limits.drift_ratio if ratio > 1 else held <= 1 / limits.drift_ratio
        word = ("slower" if ratio > 1 else "faster") if is_speed else "other mix"
        found.setdefault(word, f"{name} is {ratio:.2f} times the baseline's")
    if {"slower", "faster"} & set(found):
        found.pop("other mix", None)
    return found


def _errors(row: Row, limits: Thresholds) -> dict[str, str]:
    """Return whether more or fewer calls fail: by `Thresholds.drift_error_share`, and certain.

    Where one recorded call stands for another number of calls than before, only that is said.
    """
    if not (row["error_certain"] or row["sampled_apart"]):
        return {}
    change = row["error_ratio"] - row["baseline_error_ratio"]
    if abs(change) < limits.drift_error_share:
        return {}
    if max(row["errors"], row["baseline_errors"]) < limits.min_errors:
        return {}
    word = "more errors" if change > 0 else "fewer errors"
    before, now = (100 * row[name] for name in ("baseline_error_ratio", "error_ratio"))
    shares = f"{now:.2f} % of calls fail, {before:.2f} % before"
    if row["sampled_apart"]:
        return {"sampled differently": f"of those recorded, {shares}"}
    return {word: shares}


def _calls(row: Row, limits: Thresholds) -> dict[str, str]:
    """Return whether a request of downstream makes more or fewer calls."""
    ratio = row["calls_ratio"]
    if ratio is None or not row["calls_certain"] or row["downstream"] == USER:
        return {}
    if max(ratio, 1 / ratio) < limits.drift_ratio:
        return {}
    word = "more calls" if ratio > 1 else "fewer calls"
    return {word: f"{ratio:.2f} times as many calls per request"}


def _evidence(row: Row, limits: Thresholds) -> dict[str, str]:
    """Return whether the edge is seen by other rules, or speaks another protocol, than before."""
    if min(row["calls"], row["baseline_calls"]) < limits.min_call_count:
        return {}
    found = {}
    for word, column in (("changed evidence", "rules"), ("changed protocol", "protocols")):
        now, before = _shares(row[column]), _shares(row[f"baseline_{column}"])
        apart = sum(abs(now.get(name, 0) - before.get(name, 0)) for name in {*now, *before}) / 2
        if apart >= limits.drift_evidence_share:
            most = (max(each, key=lambda name: (each[name], name)) for each in (before, now))
            found[word] = "mostly " + " before, mostly ".join(most) + " now"
    return found


def _shares(counts: list[Row]) -> dict[str, float]:
    total = sum(row["calls"] for row in counts)
    return {row["name"]: row["calls"] / total for row in counts}
