"""Which windows a run looks at: what the user asked for, else what the recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import polars as pl

from tracemap.analyze.baseline import Baseline, baseline, spike_window
from tracemap.catalog import Catalog
from tracemap.errors import NoDataError, PipelineError
from tracemap.model import MINUTE_NS, Window
from tracemap.recipe import Recipe
from tracemap.store import Store

_NO_SPIKE_WITHIN = "; no spike was found in the window, so all of it is compared"


@dataclass(frozen=True)
class Bounds:
    """The ends of a window as a user gave them; None: left open."""

    start_ns: int | None = None
    end_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither end was given."""
        return self.start_ns is None and self.end_ns is None

    def within(self, outer: Window) -> Window:
        """Return the window, open ends closed by those of `outer`."""
        start_ns = outer.start_ns if self.start_ns is None else self.start_ns
        end_ns = outer.end_ns if self.end_ns is None else self.end_ns
        return Window(start_ns, end_ns)


@dataclass(frozen=True)
class Request:
    """What a user may say beside the recipe.

    Attributes:
        window: What to look at.
        baseline: What to compare with.
        spike: Which spike, counted from 1, where the window is not given; None: the first.
        catalog: Who owns what, beside what the spans and the recipe say.
        collapse_proxies: Whether calls lead past proxies to what is behind them, in ``edges``.
    """

    window: Bounds = field(default_factory=Bounds)
    baseline: Bounds = field(default_factory=Bounds)
    spike: int | None = None
    catalog: Catalog | None = None
    collapse_proxies: bool = False


@dataclass(frozen=True)
class Choice:
    """The windows of one run.

    Attributes:
        shown: What the report is about.
        incident: Where propagation is looked for; None: nowhere.
        baseline: What it is compared with; None: nothing.
        reason: How these were chosen, in words.
    """

    shown: Window
    incident: Window | None = None
    baseline: Window | None = None
    reason: str = ""


def choose(
    recipe: Recipe, request: Request, covered: Window, cells: pl.Series, spikes: pl.DataFrame
) -> Choice:
    """Choose the windows of a run.

    With ``window = "worst spike"`` the window asked for is the incident; without one, the spike's
    own window. With ``window = "all"`` the report is about the window asked for, or everything, and
    the incident is the worst spike within it; where it holds none, the window asked for itself.
    With neither a spike nor a window asked for there is no incident, and the reason says so.

    Args:
        recipe: Its `window` and `baseline` count; one that compares nothing needs neither.
        request: What the user asked for; wins.
        covered: What the database covers.
        cells: Starts of the minutes in which calls were observed, ns since the epoch.
        spikes: As `model.SPIKES`, worst first.

    Raises:
        PipelineError: If there are fewer spikes than the one asked for, or the baseline asked for
            overlaps the window.
        NoDataError: If a window asked for holds no calls.
    """
    asked = request.window.within(covered)
    if not request.window.is_open:
        require_calls(asked, cells, covered, "--from, --to")
    if not recipe.compares:
        unused = "the recipe compares nothing: the baseline asked for is not used"
        return Choice(asked, reason="" if request.baseline.is_open else unused)
    compared = partial(
        _compared, recipe=recipe, request=request, covered=covered, cells=cells, spikes=spikes
    )
    if recipe.window == "worst spike" and not request.window.is_open:
        _require_no_spike(request)
        found = compared(asked, is_asked_for=True)
        return Choice(asked, asked, found.window, found.reason)
    rank = 1 if request.spike is None else request.spike
    incident = _incident(spikes, asked, rank)
    if incident is None and not request.window.is_open:
        found = compared(asked, is_asked_for=True)
        addition = "" if found.window is None else _NO_SPIKE_WITHIN
        return Choice(asked, asked, found.window, f"{found.reason}{addition}")
    if incident is None:
        return Choice(asked, reason=_nothing_compared(request))
    found = compared(incident)
    spike = "the worst spike" if rank == 1 else f"spike {rank}"
    shown = incident if recipe.window == "worst spike" else asked
    # of a report about the spike the times are known
    said = f"window is that of {spike}" if shown == incident else f"incident is {spike}, {incident}"
    return Choice(shown, incident, found.window, f"{found.reason}; the {said}")


def spikes_within(spikes: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Return the spikes that touch `window`."""
    return spikes.filter(
        pl.col("start_ns").lt(window.end_ns) & pl.col("end_ns").gt(window.start_ns)
    )


def _incident(spikes: pl.DataFrame, asked: Window, rank: int) -> Window | None:
    """Return the window of the `rank`-th spike that touches `asked`; None: there is no spike.

    Raises:
        PipelineError: If there are spikes, but not as many.
    """
    within = spikes_within(spikes, asked)
    if rank > max(1, within.height):
        raise PipelineError(
            f"there is no spike {rank}, only {within.height} were found",
            where="--spike",
            hint="tracemap spikes lists them",
        )
    return spike_window(within, rank)


def _require_no_spike(request: Request) -> None:
    if request.spike is not None:
        raise PipelineError(
            "a window and a spike are asked for: the window alone says what is compared",
            where="--spike, --from, --to",
            hint="leave one of them out",
        )


def _nothing_compared(request: Request) -> str:
    """Return why nothing is compared where there is neither a spike nor a window asked for."""
    if request.baseline.is_open:
        return "no spike was found, so there is nothing to compare"
    return (
        "no spike was found, so there is nothing to compare with the baseline asked for:"
        " ask for a window too"
    )


def _compared(
    incident: Window,
    *,
    recipe: Recipe,
    request: Request,
    covered: Window,
    cells: pl.Series,
    spikes: pl.DataFrame,
    is_asked_for: bool = False,
) -> Baseline:
    """Return what `incident` is compared with."""
    if not request.baseline.is_open:
        return baseline_asked_for(request, incident, covered, cells)
    if recipe.baseline == "none":
        return Baseline(None, "the recipe compares with nothing")
    return baseline(incident, cells, spikes, is_asked_for=is_asked_for)


def baseline_asked_for(
    request: Request, window: Window, covered: Window, cells: pl.Series
) -> Baseline:
    """Return the baseline that `request` names for `window`; an open end is closed at the window.

    A window may be compared with itself (nothing changes then), but not with a part of itself.

    Args:
        request: Its baseline is not open.
        window: What is looked at.
        covered: What the database covers.
        cells: Starts of the minutes in which calls were observed, ns since the epoch.

    Raises:
        NoDataError: If the baseline holds no calls.
        PipelineError: If it overlaps `window` without being the same.
    """
    given = request.baseline.within(Window(covered.start_ns, window.start_ns))
    require_calls(given, cells, covered, "--baseline-from, --baseline-to")
    overlaps = given.start_ns < window.end_ns and window.start_ns < given.end_ns
    if overlaps and given != window:
        raise PipelineError(
            f"the baseline {given} overlaps the window {window}",
            where="--baseline-from, --baseline-to",
            hint="compare with a time before the window, or after it",
        )
    return Baseline(given, "the baseline asked for")


def covered_window(store: Store) -> Window:
    """Return what the database covers.

    Raises:
        NoDataError: If it holds no spans.
    """
    covered = store.covered()
    if covered is None:
        raise NoDataError("the database holds no spans", hint="tracemap ingest INPUT... fills it")
    return covered


def require_calls(window: Window, cells: pl.Series, covered: Window, option: str) -> None:
    """Raise an error that names `option` where no call was observed in `window`.

    Raises:
        NoDataError: If there is none.
    """
    touched = (cells > window.start_ns - MINUTE_NS) & (cells < window.end_ns)
    if window.duration_ns <= 0:  # one end was left open, and the other lies beyond the data
        raise NoDataError(
            "the window asked for lies outside the time that was recorded",
            where=option,
            hint=f"the database covers {covered}",
        )
    if not touched.any():
        raise NoDataError(
            f"there are no calls in the window {window}",
            where=option,
            hint=f"the database covers {covered}",
        )
