"""How an operation makes its calls."""

from __future__ import annotations

from tracemap.simulate.behaviours.behaviour import (
    DATABASE,
    LEDGER,
    ORDERS,
    PRICES,
    TAXES,
    Behaviour,
    call,
    played,
    system,
)

MANY = 12


def n_plus_one() -> Behaviour:
    """A dozen equal queries in a row; nearly: three of them."""
    return Behaviour(
        "n-plus-one",
        "A loop queries the database a dozen times, one query after the other",
        ORDERS,
        DATABASE,
        positive=played(system((call(DATABASE, times=MANY),)), seed=301),
        near_miss=played(system((call(DATABASE, times=3),)), seed=301),
        negative=played(system((call(DATABASE),)), seed=301),
    )


def fan_out() -> Behaviour:
    """A dozen equal calls at once; nearly: a dozen in a row."""
    return Behaviour(
        "fan-out",
        "A dozen calls of one operation start together: the slowest of them decides",
        ORDERS,
        PRICES,
        positive=played(system((call(PRICES, times=MANY, together=True),)), seed=302),
        near_miss=played(system((call(PRICES, times=MANY),)), seed=302),
        negative=played(system((call(PRICES),)), seed=302),
    )


def sequential_calls() -> Behaviour:
    """Three calls in a row that could run at once; nearly: they do run at once."""
    calls = (call(LEDGER), call(PRICES), call(TAXES))
    return Behaviour(
        "sequential-calls",
        "Three calls of different services in a row, each after the other",
        ORDERS,
        PRICES,
        positive=played(system(*((one,) for one in calls)), seed=303),
        near_miss=played(system(calls), seed=303),
        negative=played(system((call(PRICES),)), seed=303),
    )
