"""`python -m bench.accuracy`: how often the right one is named, as tables."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.__main__ import print_table
from bench.accuracy import published, running, tables, thresholds
from bench.accuracy.cases import Outcome
from bench.accuracy.grid import drawn as situations
from bench.accuracy.sorts import FAULTS, QUIET

CASES, QUIET_RUNS, EVERY = 12, 8, 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts asked for and print them."""
    asked = _asked(arguments)
    begun = time.perf_counter()
    work = running.real(varied=asked.sensitivity > 0) if asked.real else []
    work += running.simulated(_wanted(asked), every=asked.sensitivity)
    results = running.results(work, jobs=asked.jobs)
    _print_outcomes([outcome for outcome, _ in results], published_too=asked.real)
    varied = [pairs for _, pairs in results if pairs]
    if varied:
        title = f"Each threshold halved and doubled, in {len(varied)} of {len(results)} cases"
        _print(title, thresholds.table(varied))
    folder = published.real_data()
    if asked.speed and folder is not None:
        spans, seconds = published.postmortem_seconds(folder)
        print(f"\nA postmortem in a database of {spans:,} spans: {seconds:.1f} s after ingest")
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what is to be run: everything where no part is named."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy", description=__doc__, epilog="No part named: all of them."
    )
    add = parser.add_argument
    add("--real", action="store_true", help="published faults in real traces")
    add("--grid", type=int, nargs="?", const=CASES, default=0, metavar="N",
        help=f"simulated faults, N of each sort ({CASES})")  # fmt: skip
    add("--quiet", type=int, nargs="?", const=QUIET_RUNS, default=0, metavar="N",
        help=f"quiet runs, N of each sort ({QUIET_RUNS})")  # fmt: skip
    add("--sensitivity", type=int, nargs="?", const=EVERY, default=0, metavar="N",
        help=f"each threshold halved and doubled, in all real and every Nth other case ({EVERY})",
    )  # fmt: skip
    add("--speed", action="store_true", help="seconds a postmortem takes in one large database")
    add("--sort", action="append", metavar="NAME", help="only this sort of simulated case")
    add("--first-seed", type=int, default=0, metavar="N", help="seeds from here on (0)")
    add("--jobs", type=int, default=2, metavar="N", help="processes (2)")
    asked = parser.parse_args(arguments)
    if not (asked.real or asked.grid or asked.quiet or asked.speed):
        asked.real, asked.grid, asked.quiet = True, CASES, QUIET_RUNS
        if not asked.sensitivity:
            asked.speed, asked.sensitivity = True, EVERY
    return asked


def _wanted(asked: argparse.Namespace) -> list[tuple[str, int]]:
    """Return the simulated situations asked for, with their seeds."""
    return [
        drawn
        for names, cases in ((FAULTS, asked.grid), (QUIET, asked.quiet))
        for drawn in situations(
            [name for name in names if not asked.sort or name in asked.sort],
            cases,
            asked.first_seed,
        )
    ]


def _print_outcomes(outcomes: Sequence[Outcome], *, published_too: bool) -> None:
    culprits = [one for one in outcomes if one.ranks]
    controls = [one for one in outcomes if not one.ranks]
    simulated = [one for one in culprits if one.group in FAULTS]
    real = [one for one in culprits if one.group not in FAULTS]
    quiet = [one for one in controls if one.group in QUIET]
    real_quiet = [one for one in controls if one.group not in QUIET]
    shown = [*culprits, *_as("simulated, all", simulated), *_as("real, all", real)]
    _print("Who is named", tables.named(shown))
    shown = [*controls, *_as("simulated, all", quiet), *_as("real, all", real_quiet)]
    _print("False alarms", tables.alarms(shown))
    _print("Not named first, and controls with an origin", tables.misses(outcomes))
    if published_too:
        _print("Published top-1 on the same two sets", tables.PUBLISHED)
        _print("Run anew, of 14 latency faults of Online Boutique", tables.RERUN)


def _as(group: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [replace(one, group=group) for one in outcomes]


def _print(title: str, rows: Sequence[tables.Row]) -> None:
    if rows:
        print(f"\n== {title}")
        print_table(rows)


if __name__ == "__main__":
    main()
