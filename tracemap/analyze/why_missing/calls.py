"""What the calls of downstream say: that there are none, or whom they reached instead."""

from __future__ import annotations

from collections.abc import Iterator

from tracemap.analyze.why_missing.likeness import ALIKE, likeness
from tracemap.analyze.why_missing.pair import Pair, Reason


def calls_of_downstream(pair: Pair) -> Iterator[Reason]:
    """Return what the calls of downstream say: there are none, or they reached somebody else."""
    calls, serves = pair.others("calls"), pair.count("serves")
    if serves and not calls:
        text = (
            f"{pair.downstream} served {serves:,} requests and recorded no call: its clients are"
            " not instrumented."
        )
        yield Reason("no_client_span", serves, text, pair.exemplars("serves"))
    for other, count in calls.items():
        kind, _, name = other.partition(" ")
        shown = pair.exemplars("calls", other)
        if kind == "unknown":
            text = f"{count:,} calls of {pair.downstream} name nobody: they may be the ones."
            yield Reason("unnamed_calls", count, text, shown)
        elif _is_other_name(pair, name):
            what = f"{pair.downstream} calls {name} ({kind}, {count:,} calls), which records no"
            what += f" spans and is probably {pair.upstream}: "
            infrastructure = kind in {"database", "queue"}
            text = what + (
                "ask for it by that name."
                if infrastructure
                else "set service.peer.name on these calls."
            )
            yield Reason("other_name", count, text, shown)


def answered(pair: Pair) -> Iterator[tuple[str, str, str, int]]:
    """Return what downstream calls that is probably upstream, but another service's spans answer.

    Each with its key in the facts, its name, that service, and the calls.
    """
    for other, count in pair.others("answered").items():
        name, _, service = other.rpartition(" ")
        if service != pair.upstream and likeness(name, pair.upstream) >= ALIKE:
            yield other, name, service, count


def _is_other_name(pair: Pair, name: str) -> bool:
    """Return whether a name that downstream calls is probably upstream's, which recorded none."""
    return name not in pair.known and likeness(name, pair.upstream) >= ALIKE


def is_called_otherwise(pair: Pair) -> bool:
    """Return whether downstream calls something that is probably upstream under another name."""
    called = (other.partition(" ") for other in pair.others("calls"))
    return any(kind != "unknown" and _is_other_name(pair, name) for kind, _, name in called)


def answered_by(pair: Pair) -> Iterator[Reason]:
    """Return that calls to something named like upstream were answered by another service."""
    for other, name, service, count in answered(pair):
        text = (
            f"{pair.downstream} calls {name} ({count:,} calls), and spans of {service} are right"
            f" below: what stands there passes the trace context on and records no spans, so the"
            f" edge is {pair.downstream} -> {service}, and its time is in the gap of that edge."
        )
        yield Reason("answered_by", count, text, pair.exemplars("answered", other))
