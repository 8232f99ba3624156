"""How often the right one is named: published faults, simulated faults, and quiet times.

::

    cases           what a case is: facts, windows, and what should be named
    published       real traces of two applications, faults injected by others
    situations      what is simulated: sorts of systems, faults and exports
    systems         systems of other shapes
    sorts           all of these by name
    grid            simulated situations as cases, with the milliseconds each fault added
    running         all cases, in several processes
    judging         one case judged: rank, milliseconds, false alarms, seconds
    thresholds      the same cases with each threshold halved and doubled
    tables          what is printed

``python -m bench.accuracy --help`` runs parts of it.
"""

from __future__ import annotations


def run() -> None:
    """Run everything and print it."""
    from bench.accuracy.__main__ import main  # noqa: PLC0415 - `-m` would load it twice

    main([])
