from __future__ import annotations

import polars as pl
import pytest

from tests.analyze.test_baseline import episodes, minutes, observed
from tracemap import recipe
from tracemap.errors import NoDataError, PipelineError
from tracemap.model import Window
from tracemap.pipeline.windows import Bounds, Request, choose

COVERED = minutes(-60, 60)
CELLS = observed(COVERED)
BATCH, POSTMORTEM = recipe.load("batch"), recipe.load("postmortem")


def bounds(window: Window) -> Bounds:
    return Bounds(window.start_ns, window.end_ns)


def test_open_ends_are_closed_by_what_is_covered() -> None:
    """`--from` alone means: from there to the end of the data."""
    assert Bounds().is_open
    assert Bounds(start_ns=5).within(Window(0, 9)) == Window(5, 9)
    assert Bounds(end_ns=5).within(Window(0, 9)) == Window(0, 5)


def test_postmortem_without_a_window_takes_the_worst_spike() -> None:
    """The spikes are sorted, worst first; the reason names the window and the baseline."""
    choice = choose(
        POSTMORTEM, Request(), COVERED, CELLS, episodes(minutes(10, 20), minutes(40, 42))
    )

    assert choice.shown == choice.incident == minutes(10, 20)
    assert choice.baseline is not None
    assert choice.reason == (
        "the quiet time before the window; the window is that of the worst spike"
    )


def test_postmortem_of_another_spike() -> None:
    """`--spike 2` is the second one."""
    spikes = episodes(minutes(10, 20), minutes(40, 42))
    choice = choose(POSTMORTEM, Request(spike=2), COVERED, CELLS, spikes)

    assert choice.incident == minutes(40, 42)
    assert choice.reason.endswith("; the window is that of spike 2")


def test_a_window_that_begins_after_the_data_ends_is_not_shown_backwards() -> None:
    """With the other end left open it would end before it starts."""
    late = Request(window=Bounds(start_ns=COVERED.end_ns + 1))
    with pytest.raises(NoDataError, match="outside the time that was recorded") as raised:
        choose(POSTMORTEM, late, COVERED, CELLS, episodes())

    assert str(COVERED) in raised.value.hint


def test_a_spike_that_is_not_there_is_refused() -> None:
    """The message says how many there are."""
    with pytest.raises(PipelineError, match="no spike 2, only 1 were found"):
        choose(POSTMORTEM, Request(spike=2), COVERED, CELLS, episodes(minutes(10, 20)))


def test_batch_is_about_everything_and_compares_the_worst_spike() -> None:
    """The report covers all; propagation is looked for in the spike."""
    choice = choose(BATCH, Request(), COVERED, CELLS, episodes(minutes(10, 20)))

    assert choice.shown == COVERED
    assert choice.incident == minutes(10, 20)


def test_no_spike_means_nothing_to_compare() -> None:
    """A quiet export gives a quiet report, not an error."""
    choice = choose(POSTMORTEM, Request(), COVERED, CELLS, episodes())

    assert choice.shown == COVERED
    assert choice.incident is None
    assert choice.baseline is None


def test_a_window_without_a_spike_is_the_incident_itself() -> None:
    """Nobody who asks for a window and a baseline is left without a comparison."""
    request = Request(window=bounds(minutes(0, 5)), baseline=bounds(minutes(-30, -10)))
    choice = choose(BATCH, request, COVERED, CELLS, episodes(minutes(10, 20)))

    assert choice.shown == choice.incident == minutes(0, 5)
    assert choice.baseline == minutes(-30, -10)
    assert choice.reason == (
        "the baseline asked for; no spike was found in the window, so all of it is compared"
    )


def test_a_window_without_a_spike_and_a_baseline_chosen() -> None:
    """The quiet time before it, as for a spike."""
    choice = choose(BATCH, Request(window=bounds(minutes(0, 5))), COVERED, CELLS, episodes())

    assert choice.incident == minutes(0, 5)
    assert choice.baseline is not None
    assert choice.reason.startswith("the quiet time before the window; no spike was found")


@pytest.mark.parametrize("wanted", [BATCH, POSTMORTEM])
def test_a_baseline_with_nothing_to_compare_is_not_passed_over(wanted: recipe.Recipe) -> None:
    """The reason says why it was not used, and what to do."""
    request = Request(baseline=bounds(minutes(-30, -10)))
    choice = choose(wanted, request, COVERED, CELLS, episodes())

    assert (choice.incident, choice.baseline) == (None, None)
    assert choice.reason == (
        "no spike was found, so there is nothing to compare with the baseline asked for:"
        " ask for a window too"
    )


def test_a_recipe_that_compares_nothing_says_that_a_baseline_is_not_used() -> None:
    """Without one it has nothing to explain."""
    request = Request(baseline=bounds(minutes(-30, -10)))
    alone = recipe.single("edges")

    assert "is not used" in choose(alone, request, COVERED, CELLS, episodes()).reason
    assert choose(alone, Request(), COVERED, CELLS, episodes()).reason == ""


def test_windows_asked_for_win() -> None:
    """Nothing is chosen where everything was said."""
    request = Request(window=bounds(minutes(0, 5)), baseline=bounds(minutes(-30, -10)))
    choice = choose(POSTMORTEM, request, COVERED, CELLS, episodes(minutes(10, 20)))

    assert choice.incident == minutes(0, 5)
    assert choice.baseline == minutes(-30, -10)
    assert choice.reason == "the baseline asked for"


def test_a_baseline_with_an_open_end_stops_where_the_window_starts() -> None:
    """`--baseline-from` alone means: from there to the incident."""
    request = Request(
        window=bounds(minutes(0, 5)), baseline=Bounds(start_ns=minutes(-30, 0).start_ns)
    )

    assert choose(POSTMORTEM, request, COVERED, CELLS, episodes()).baseline == minutes(-30, 0)


def test_a_baseline_that_overlaps_the_window_is_refused() -> None:
    """Comparing a time with itself hides what happened."""
    request = Request(window=bounds(minutes(0, 5)), baseline=bounds(minutes(-10, 1)))

    with pytest.raises(PipelineError, match="overlaps the window"):
        choose(POSTMORTEM, request, COVERED, CELLS, episodes())


@pytest.mark.parametrize(
    "request_",
    [
        Request(window=bounds(minutes(500, 510))),
        Request(window=bounds(minutes(0, 5)), baseline=bounds(minutes(-510, -500))),
        Request(window=Bounds(end_ns=minutes(-61, 0).start_ns)),
    ],
)
def test_a_window_without_calls_says_what_there_is(request_: Request) -> None:
    """The hint states what the database covers."""
    with pytest.raises(NoDataError) as raised:
        choose(POSTMORTEM, request_, COVERED, CELLS, episodes())

    assert str(COVERED) in raised.value.hint


def test_recipe_that_compares_with_nothing() -> None:
    """`baseline = "none"` is kept, and said."""
    alone = BATCH.model_copy(update={"baseline": "none"})
    choice = choose(alone, Request(), COVERED, CELLS, episodes(minutes(10, 20)))

    assert choice.baseline is None
    assert choice.reason.startswith("the recipe compares with nothing; the incident is ")


def test_no_cells_no_spikes_is_no_error() -> None:
    """Spans without a single call still make a report of what is there."""
    none = pl.Series("window_start_ns", [], dtype=pl.Int64)

    assert choose(BATCH, Request(), COVERED, none, episodes()).shown == COVERED


@pytest.mark.parametrize("spike", [1, 2])
def test_a_window_and_a_spike_exclude_each_other_where_the_window_is_the_spike(
    spike: int,
) -> None:
    """To take the one and forget the other without a word would answer another question."""
    asked = Request(window=Bounds(*_ends(minutes(10, 20))), spike=spike)
    with pytest.raises(PipelineError, match="a window and a spike are asked for") as refused:
        choose(POSTMORTEM, asked, COVERED, CELLS, episodes(minutes(10, 20), minutes(40, 42)))

    assert refused.value.hint == "leave one of them out"


def _ends(window: Window) -> tuple[int, int]:
    return window.start_ns, window.end_ns
