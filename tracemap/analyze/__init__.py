"""Analyze: facts of a window and its baseline become findings. Pure: no I/O, no clock, no SQL."""

from __future__ import annotations

from tracemap.analyze.baseline import Baseline, baseline, spike_window
from tracemap.analyze.bottlenecks import bottlenecks
from tracemap.analyze.critical_path import critical_path
from tracemap.analyze.dependencies import availability, cycles, dependencies
from tracemap.analyze.edges import edges, with_change
from tracemap.analyze.flow import flow
from tracemap.analyze.origins import origins
from tracemap.analyze.propagation import propagation
from tracemap.analyze.spikes import judged, spikes
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.timeline import timeline
from tracemap.analyze.user_operations import user_operations
from tracemap.analyze.verdict import verdict
from tracemap.analyze.whatif import hardness, whatif
from tracemap.analyze.windows import cells

__all__ = [
    "Baseline",
    "Thresholds",
    "availability",
    "baseline",
    "bottlenecks",
    "cells",
    "critical_path",
    "cycles",
    "dependencies",
    "edges",
    "flow",
    "hardness",
    "judged",
    "origins",
    "propagation",
    "spike_window",
    "spikes",
    "timeline",
    "user_operations",
    "verdict",
    "whatif",
    "with_change",
]
