"""`python -m bench.accuracy`: how often the right one is named, as tables."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from bench.__main__ import print_table
from bench.accuracy import published, running, tables, thresholds
from bench.accuracy.cases import Outcome
from bench.accuracy.grid import drawn as situations
from bench.accuracy.situations import FAULTS, QUIET

PARTS = ("real", "grid", "quiet", "sensitivity", "speed")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts asked for and print them."""
    asked = _parser().parse_args(arguments)
    begun = time.perf_counter()
    every = asked.every if "sensitivity" in asked.parts else 0
    results = list(running.real(varied=every > 0)) if "real" in asked.parts else []
    results += running.simulated(_wanted(asked), every=every, jobs=asked.jobs)
    outcomes = [outcome for outcome, _ in results]
    culprits = [one for one in outcomes if one.ranks]
    controls = [one for one in outcomes if not one.ranks]
    simulated = [one for one in culprits if one.group in FAULTS]
    shown = [*culprits, *(_as("simulated, all", one) for one in simulated)]
    shown += [_as("real, all", one) for one in culprits if one.group not in FAULTS]
    _print("Who is named", tables.named(shown))
    shown = [*controls, *(_as("simulated, all", one) for one in controls if one.group in QUIET)]
    shown += [_as("real, all", one) for one in controls if one.group not in QUIET]
    _print("False alarms", tables.alarms(shown))
    _print("Not named first, and controls with an origin", tables.misses(outcomes))
    if "real" in asked.parts:
        _print("Published top-1 on the same two sets", tables.PUBLISHED)
        _print("Run anew, of 14 latency faults of Online Boutique", tables.RERUN)
    varied = [pair for _, pairs in results for pair in pairs]
    if varied:
        _print("Each threshold halved and doubled", thresholds.table(varied))
    folder = published.real_data()
    if "speed" in asked.parts and folder is not None:
        spans, seconds = published.postmortem_seconds(folder)
        print(f"\nA postmortem in a database of {spans:,} spans: {seconds:.1f} s after ingest")
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=list(PARTS), metavar="PART", help=f"of {', '.join(PARTS)} (all)"
    )
    parser.add_argument("--cases", type=int, default=18, help="simulated faults of each sort (18)")
    parser.add_argument("--quiet", type=int, default=13, help="quiet runs of each sort (13)")
    parser.add_argument("--first-seed", type=int, default=0, help="seeds from here on (0)")
    parser.add_argument(
        "--every", type=int, default=4, help="sensitivity: every n-th simulated case (4)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    return parser


def _wanted(asked: argparse.Namespace) -> list[tuple[str, int]]:
    """Return the simulated situations asked for, with their seeds."""
    groups = {"grid": (FAULTS, asked.cases), "quiet": (QUIET, asked.quiet)}
    return [
        drawn
        for part, (names, cases) in groups.items()
        if part in asked.parts
        for drawn in situations(list(names), cases, asked.first_seed)
    ]


def _as(group: str, outcome: Outcome) -> Outcome:
    return Outcome(**{**vars(outcome), "group": group})


def _print(title: str, rows: Sequence[tables.Row]) -> None:
    print(f"\n== {title}")
    print_table(rows)


if __name__ == "__main__":
    main()
