"""Cases made and judged in several processes, in an order that does not depend on how many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial

from bench.accuracy import published, thresholds
from bench.accuracy.cases import Case, Outcome
from bench.accuracy.grid import fault_case, quiet_case
from bench.accuracy.judging import judged
from bench.accuracy.sorts import FAULTS

Result = tuple[Outcome, list[tuple[thresholds.Variant, Outcome]]]
"""How a case went, and how it goes with each threshold halved and doubled, where asked for."""
Work = Callable[[], list[Result]]


def results(work: Sequence[Work], *, jobs: int) -> list[Result]:
    """Return the results of all pieces of work, in order.

    Args:
        work: As of `real` and `simulated`, the longest first.
        jobs: Processes.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        made: list[Future[list[Result]]] = [pool.submit(piece) for piece in work]
        return [result for piece in made for result in piece.result()]


def real(*, varied: bool) -> list[Work]:
    """Return the real cases, a piece of work each application; none where they are not there."""
    folder = published.real_data()
    if folder is None:
        print("real: skipped, the folder of real traces is not there ($TRACEMAP_REAL_DATA)")
        return []
    return [
        partial(_real, application, varied=varied) for application in published.applications(folder)
    ]


def simulated(wanted: Sequence[tuple[str, int]], *, every: int) -> list[Work]:
    """Return simulated cases, a piece of work each; those that users did not feel give nothing.

    Args:
        wanted: Name of the situation and seed of each.
        every: Each so many is tried with other thresholds too; 0: none.
    """
    return [
        partial(_simulated, group, seed, varied=every > 0 and number % every == 0)
        for number, (group, seed) in enumerate(wanted)
    ]


def _real(application: str, *, varied: bool) -> list[Result]:
    folder = published.real_data()
    cases = () if folder is None else published.cases(folder, application)
    return [_result(case, varied=varied) for case in cases]


def _simulated(group: str, seed: int, *, varied: bool) -> list[Result]:
    case = fault_case(group, seed) if group in FAULTS else quiet_case(group, seed)
    return [] if case is None else [_result(case, varied=varied)]


def _result(case: Case, *, varied: bool) -> Result:
    if not varied:
        return judged(case), []
    tried = thresholds.outcomes(case)
    return tried[0][1], tried
