"""Cases made and judged: the real ones here, the simulated ones in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from bench.accuracy import published, thresholds
from bench.accuracy.cases import Case, Outcome
from bench.accuracy.grid import fault_case, quiet_case
from bench.accuracy.judging import judged
from bench.accuracy.situations import FAULTS

Result = tuple[Outcome, list[tuple[tuple[str, str], Outcome]]]
"""How a case went, and how it goes with each threshold halved and doubled, where asked for."""


def real(*, varied: bool) -> Iterator[Result]:
    """Yield the results of all real cases; none, with a message, where they are not there."""
    folder = published.real_data()
    if folder is None:
        print("real: skipped, the folder of real traces is not there ($TRACEMAP_REAL_DATA)")
        return
    for case in published.cases(folder):
        yield _result(case, varied=varied)


def simulated(wanted: list[tuple[str, int]], *, every: int, jobs: int) -> list[Result]:
    """Return the results of simulated cases, in order; those that users did not feel are left out.

    Args:
        wanted: Name of the situation and seed of each.
        every: Each so many is tried with other thresholds too; 0: none.
        jobs: Processes.
    """
    varied = [every > 0 and number % every == 0 for number in range(len(wanted))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        made = pool.map(_simulated, wanted, varied, chunksize=4)
        return [result for result in made if result is not None]


def _simulated(drawn: tuple[str, int], varied: bool) -> Result | None:  # noqa: FBT001 - mapped
    group, seed = drawn
    case = fault_case(group, seed) if group in FAULTS else quiet_case(group, seed)
    return None if case is None else _result(case, varied=varied)


def _result(case: Case, *, varied: bool) -> Result:
    return judged(case), thresholds.outcomes(case) if varied else []
