"""What a report on the simulated spans must find: the graph, mechanisms at work, faults."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tracemap.model import MINUTE_NS, iso
from tracemap.simulate.attempts import Hop
from tracemap.simulate.blueprint import OperationKey
from tracemap.simulate.effect import Effect
from tracemap.simulate.fault import Fault
from tracemap.simulate.graph import Graph
from tracemap.simulate.judgement import judged
from tracemap.simulate.playing import Playing
from tracemap.simulate.tally import tally_rows
from tracemap.simulate.without import safeguards, without


def truth(playing: Playing) -> dict[str, Any]:
    """Return what happened in a run, ready for JSON.

    Each fault is judged against the same run without it, other faults staying (`judgement`).

    Args:
        playing: The run.
    """
    graph, tally, spans, traces = Graph(), Counter[tuple[Hop, str]](), 0, 0
    requests: dict[OperationKey, int] = {entry.key: 0 for entry in playing.shop.entries}
    effects = [Effect(fault) for fault in playing.faults]
    for part in range(playing.parts):
        for play in playing.plays(part, playing.faults):
            nodes = play.evaluation.nodes
            graph.add(play.evaluation)
            tally.update(play.evaluation.calling.tally)
            requests[play.entry.key] += play.requests
            spans += sum(len(node.rows) for node in nodes)
            traces += sum(len(node.rows) for node in nodes if node.parent < 0)
        for number, effect in enumerate(effects):
            others = playing.faults[:number] + playing.faults[number + 1 :]
            _judge(effect, playing, others, part)
    return {
        "schema_version": 1,
        "shop": playing.shop.name,
        "seed": playing.seed,
        "window": {
            "start": iso(playing.start_ns),
            "end": iso(playing.start_ns + round(playing.minutes * MINUTE_NS)),
        },
        "spans": spans,
        "traces": traces,
        "requests": [{**key._asdict(), "requests": n} for key, n in sorted(requests.items())],
        "edges": graph.rows(playing.shop),
        "safeguards": tally_rows(tally, safeguards(playing.shop)),
        "faults": [judged(effect, playing.start_ns) for effect in effects],
    }


def _judge(effect: Effect, playing: Playing, others: tuple[Fault, ...], part: int) -> None:
    """Play one stretch of time with and without a fault, and again without each mechanism."""
    pairs = zip(playing.plays(part, playing.faults), playing.plays(part, others), strict=True)
    for faulty, sound in pairs:
        effect.add(faulty.entry.key, faulty.evaluation, sound.evaluation)
    for safeguard in safeguards(playing.shop):
        bare = without(playing.shop, safeguard)
        pairs = zip(
            playing.plays(part, playing.faults, bare),
            playing.plays(part, others, bare),
            strict=True,
        )
        for faulty, sound in pairs:
            effect.add_bare(safeguard, faulty.evaluation, sound.evaluation)
