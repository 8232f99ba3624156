"""Analyze: facts of a window and its baseline become findings. Pure: no I/O, no clock, no SQL."""

from __future__ import annotations

from tracemap.analyze.baseline import WEEK_NS, Baseline, baseline, spike_window
from tracemap.analyze.bottlenecks import bottlenecks
from tracemap.analyze.budget import budget
from tracemap.analyze.cautions import cautions, sampled_differently
from tracemap.analyze.clusters import cell_width_ns
from tracemap.analyze.critical_path import critical_path
from tracemap.analyze.declarations import declarations
from tracemap.analyze.dependencies import availability, cycles, dependencies
from tracemap.analyze.drift import by_importance, drift
from tracemap.analyze.edges import edges, with_change
from tracemap.analyze.errors import errors
from tracemap.analyze.exemplar_cells import exemplar_cells
from tracemap.analyze.exemplar_traces import exemplar_traces
from tracemap.analyze.failed_requests import failed_requests
from tracemap.analyze.flow import flow
from tracemap.analyze.flow_bands import band_limits, changed_roots, flow_bands
from tracemap.analyze.insulation import insulation, named_mechanisms
from tracemap.analyze.origins import origins, origins_with_flow
from tracemap.analyze.propagation import propagation
from tracemap.analyze.regressions import regressions
from tracemap.analyze.skew import skew
from tracemap.analyze.spikes import judged, spikes
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.timeline import timeline
from tracemap.analyze.timeline_units import timeline_units, timeline_window
from tracemap.analyze.trend import trend
from tracemap.analyze.user_operations import user_operations
from tracemap.analyze.verdict import drifted, verdict
from tracemap.analyze.weeks import TREND_WEEKS, last_week, weeks_before
from tracemap.analyze.whatif import hardness, whatif
from tracemap.analyze.why_missing import Pair, why_missing
from tracemap.analyze.windows import cells

__all__ = [
    "TREND_WEEKS",
    "WEEK_NS",
    "Baseline",
    "Pair",
    "Thresholds",
    "availability",
    "band_limits",
    "baseline",
    "bottlenecks",
    "budget",
    "by_importance",
    "cautions",
    "cell_width_ns",
    "cells",
    "changed_roots",
    "critical_path",
    "cycles",
    "declarations",
    "dependencies",
    "drift",
    "drifted",
    "edges",
    "errors",
    "exemplar_cells",
    "exemplar_traces",
    "failed_requests",
    "flow",
    "flow_bands",
    "hardness",
    "insulation",
    "judged",
    "last_week",
    "named_mechanisms",
    "origins",
    "origins_with_flow",
    "propagation",
    "regressions",
    "sampled_differently",
    "skew",
    "spike_window",
    "spikes",
    "timeline",
    "timeline_units",
    "timeline_window",
    "trend",
    "user_operations",
    "verdict",
    "weeks_before",
    "whatif",
    "why_missing",
    "with_change",
]
