"""SPANS -> FACTS: trees, entries and calls, latencies and call paths of whole traces.

Everything here is a pure function of a `model.TraceBucket`, and additive: facts of two halves of
the traces, summed, are the facts of the whole. So a laptop derives bucket by bucket, a cluster
partition by partition, with the same functions.
"""

from __future__ import annotations

from tracemap.derive.facts import facts
from tracemap.derive.flow_bands import band_facts, root_durations
from tracemap.derive.merging import merge
from tracemap.derive.unit_exemplars import best_exemplars, unit_exemplars
from tracemap.derive.waterfall import waterfall
from tracemap.derive.whatif import hardness_facts, whatif_facts
from tracemap.derive.why_missing import merge_pairs, pair_facts

__all__ = [
    "band_facts",
    "best_exemplars",
    "facts",
    "hardness_facts",
    "merge",
    "merge_pairs",
    "pair_facts",
    "root_durations",
    "unit_exemplars",
    "waterfall",
    "whatif_facts",
]
