"""The evidence of an origin in words: what moved, where, by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracemap.analyze.blame import Row, counted

if TYPE_CHECKING:
    from tracemap.analyze.mix import RootMix

NS_PER_MS = 1e6
_MOST = 3


def in_words(shares: list[tuple[Row, float]]) -> str:
    """Return the three largest components in words: where, by how much, on how many calls."""
    ordered = sorted(shares, key=lambda pair: -counted(pair[0]) * pair[1])[:_MOST]
    return "; ".join(_component(row) for row, _ in ordered)


def mix_in_words(mix: RootMix) -> str:
    """Return which kind of request there is more of, and how long it takes."""
    before, now = mix.shares[0]
    grown = int((now - before).argmax())
    requests, duration = (
        mix.sums[name][0].sum(axis=0)[grown] for name in ("requests", "duration_ns")
    )
    mean_ms = duration / max(requests, 1.0) / NS_PER_MS
    return (
        f"requests of {mix.service} {mix.operation} that make the same calls and take"
        f" {mean_ms:.1f} ms: {before[grown]:.1%} → {now[grown]:.1%} of all"
    )


def cut_short_in_words(saved_ns: float) -> str:
    """Return what failing early saves, a negative time per user request."""
    return f"requests that fail of it end early: {saved_ns / NS_PER_MS:.1f} ms a user request"


def _component(row: Row) -> str:
    where = {
        "pauses": f"pauses of {row['downstream']} {row['operation']} before it tried calls of"
        f" {row['upstream']} again",
        "self": f"own time of {row['upstream']} {row['operation']}",
        "failed": f"failures of {row['upstream']} {row['operation']}",
    }.get(row["kind"], f"{row['downstream']} → {row['upstream']} {row['operation']}")
    what, change = _changes(row)
    return f"{what}{where}: {change} ({row['baseline_calls']:,} and {row['calls']:,} calls)"


def _changes(row: Row) -> tuple[str, str]:
    """Return what is said before the place, and the change."""
    before, now, kind = row["before"], row["now"], row["kind"]
    in_time = {
        "self": "",
        "pauses": "",
        "gap": "gap ",
        "virtual": "calls ",
        "hidden retries": "retries within ",
    }
    if kind in in_time:
        return in_time[kind], f"{before / NS_PER_MS:,.1f} → {now / NS_PER_MS:,.1f} ms a call"
    share = f"{before:.1%} → {now:.1%}"
    words = {
        "unanswered": ("calls ", f"{share} of them without an answer"),
        "failed": ("", f"{share} of calls"),
        "lost": ("calls ", f"{share} of them failed on the way, or where nothing is recorded"),
        "share": ("calls ", f"made by {share} of requests"),
        "fallback": ("calls in the place of failed ones of ", f"made by {share} of requests"),
        "calls": ("calls ", f"{before:,.1f} → {now:,.1f} times a request"),
        "retries": (
            "calls ",
            f"{before:,.1f} → {now:,.1f} times a request, as earlier ones failed",
        ),
    }
    return words[kind]
