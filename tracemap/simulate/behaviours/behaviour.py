"""The small system all behaviours play in, and what a behaviour is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tracemap.simulate.blueprint import (
    Call,
    Entry,
    Operation,
    OperationKey,
    Service,
    Shop,
    Stage,
    database,
)
from tracemap.simulate.fault import Fault
from tracemap.simulate.sampling import Sampling
from tracemap.simulate.simulated import Simulated, run

ENTRY = OperationKey("web", "GET /orders")
ORDERS = OperationKey("orders", "GET /v1/orders")
STOCK = OperationKey("stock", "GET /stock/{id}")
BACKUP = OperationKey("backup", "GET /stock/{id}")
LEDGER = OperationKey("ledger", "shop.Ledger/Read")
PRICES = OperationKey("prices", "shop.Prices/Quote")
TAXES = OperationKey("taxes", "shop.Taxes/Rate")
DATABASE = OperationKey("postgresql orders", "SELECT orders")

MINUTES = 2.0
WINDOW = (1.0, 2.0)
"""Minutes in which faults last; the first minute is quiet."""


@dataclass(frozen=True)
class Behaviour:
    """Something to be recognised in spans, and runs to try it on.

    Attributes:
        name: What it is called.
        meaning: One line for people.
        downstream: The operation in which it happens.
        upstream: The operation called, or the one that is odd.
        positive: A run that has it.
        near_miss: A run that looks like it and has not.
        negative: A run with nothing like it.
    """

    name: str
    meaning: str
    downstream: OperationKey
    upstream: OperationKey
    positive: Simulated
    near_miss: Simulated
    negative: Simulated


def call(key: OperationKey, **options: object) -> Call:
    """Return a call of an operation of the small system."""
    return Call(*key, **options)  # type: ignore[arg-type]


def system(
    *stages: tuple[Call, ...],
    replicas: int = 2,
    slots: int | None = None,
    front: Call | None = None,
) -> Shop:
    """Return ``web``, which calls ``orders``, which makes the calls given.

    It may call ``stock`` and ``backup`` (HTTP), ``ledger``, ``prices`` and ``taxes`` (gRPC) and
    ``postgresql orders``.

    Args:
        stages: Calls that ``orders`` makes at the same time, one stage after the other.
        replicas: Instances of each service.
        slots: Requests an instance of ``stock`` works on at a time.
        front: How ``web`` calls ``orders``; None: plainly.
    """
    orders = Operation(*ORDERS, 6.0, 0.3, 0.0, tuple(Stage(calls) for calls in stages))
    return Shop.of(
        "behaviours",
        services=(
            Service("web", protocol="http", port=443, replicas=replicas),
            Service("orders", protocol="http", port=8080, replicas=replicas),
            Service("stock", protocol="http", port=8080, replicas=replicas, slots=slots),
            Service("backup", protocol="http", port=8080, replicas=replicas),
            *(Service(name, replicas=replicas) for name in ("ledger", "prices", "taxes")),
            database("postgresql", "orders-db", "orders"),
        ),
        operations=(
            Operation(*ENTRY, 5.0, 0.3, 0.0, (Stage((front or call(ORDERS),)),)),
            orders,
            *(_leaf(key, 20.0) for key in (STOCK, BACKUP, LEDGER, PRICES, TAXES)),
            _leaf(DATABASE, 4.0),
        ),
        entries=(Entry(*ENTRY, 600),),
    )


def played(shop: Shop, *faults: Fault, seed: int, sampling: Sampling | None = None) -> Simulated:
    """Return two minutes of a system; faults last for the second one."""
    struck = [fault.during(*WINDOW) for fault in faults]
    return run(shop, minutes=MINUTES, faults=struck, seed=seed, sampling=sampling)


def with_own_ms(shop: Shop, key: OperationKey, own_ms: float, sigma: float = 0.3) -> Shop:
    """Return the shop with other own time of one operation."""
    changed = replace(shop.operations[key], own_ms=own_ms, sigma=sigma)
    return replace(shop, operations={**shop.operations, key: changed})


def _leaf(key: OperationKey, own_ms: float) -> Operation:
    return Operation(*key, own_ms, 0.3, 0.0)
