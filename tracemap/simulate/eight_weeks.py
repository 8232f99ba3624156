"""Eight weeks of thin traffic whose last week drifted: the sample of the weekly report."""

from __future__ import annotations

from datetime import UTC, datetime

from tracemap.simulate.blueprint import Call, Entry, Operation, Service, Shop, Stage, database
from tracemap.simulate.fault import Fault
from tracemap.simulate.faults import ColdCache, Slower
from tracemap.simulate.simulated import Simulated, run
from tracemap.simulate.trouble import Deploy

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
WEEKS = 8
_WEEK = 7 * 24 * 60
_LAST = ((WEEKS - 1) * _WEEK, WEEKS * _WEEK)
_LOAD = 0.6
BROWSE, ORDER, ACCOUNT = "GET /browse", "POST /order", "GET /account"
DRIFT: list[dict[str, str | None]] = [
    {"downstream": downstream, "upstream": upstream, "change": change, "instead": instead}
    for downstream, upstream, change, instead in (
        ("edge", "catalog", "slower", None),
        ("orders", "fraud", "new", None),
        ("orders", "pricing", "re-routed", "tariffs"),
        ("orders", "tariffs", "re-routed", "pricing"),
        ("account", "audit", "gone", None),
        ("account", "archive", "not observed", None),
        ("catalog", "postgresql goods", "steady", None),
        ("account", "redis session-store", "steady", None),
        ("catalog", "stock", "steady", None),
        ("orders", "stock", "steady", None),
    )
]
"""What the last week must be found to be, against the four before it, edge by edge.

Edges whose upstream only passes on what reached it are left out.
"""


def eight_weeks() -> Simulated:
    """Return eight weeks of a small system, of which the last differs from those before.

    In the last week: `orders` asks `fraud` on every order, which it never did (new); it asks
    `tariffs` where it asked `pricing` (re-routed); `account` asks `audit` no more (gone); `catalog`
    3.2.0 takes some 25 ms longer than 3.1.4 (slower, another version); `stock` takes a twentieth
    longer, which nobody needs to know. In week 4 `account` once asked `archive` (not observed).
    """
    return run(system(), minutes=WEEKS * _WEEK, seed=8, load=_LOAD, start=START, faults=drifts())


def drifts() -> tuple[Fault, ...]:
    """Return what differs, each where and when it does."""
    first, last = _LAST
    return (
        _calls("orders", "fraud", 1.0).during(first, last),
        _calls("orders", "tariffs", 1.0).during(first, last),
        _calls("orders", "pricing", 0.0).during(first, last),
        _calls("account", "audit", 0.0).during(first, last),
        Deploy(service="catalog", version="3.2.0", add_ms=25.0, step_minutes=60.0)
        .during(first, last),
        Slower(service="stock", factor=1.05).during(first, last),
        _calls("account", "archive", 1.0).during(3 * _WEEK + 1440, 3 * _WEEK + 2 * 1440),
    )  # fmt: skip


def _calls(downstream: str, upstream: str, probability: float) -> ColdCache:
    return ColdCache(downstream=downstream, upstream=upstream, probability=probability)


def system() -> Shop:
    """Return the system as it is in the first seven weeks."""
    return Shop.of(
        "bazaar",
        services=(
            Service("edge", protocol="http", port=443, version="1.8.2", owner="team-front",
                    criticality="critical"),
            Service("catalog", version="3.1.4", owner="team-goods", criticality="high"),
            Service("stock", version="2.0.1", language="java", owner="team-goods"),
            Service("orders", version="5.4.0", language="java", owner="team-sales",
                    criticality="critical"),
            Service("pricing", version="1.1.9", language="python", owner="team-sales"),
            Service("tariffs", version="0.3.0", owner="team-sales"),
            Service("fraud", version="0.9.1", language="python", owner="team-risk"),
            Service("account", version="2.7.3", language="nodejs", owner="team-front"),
            Service("audit", version="1.0.4", language="ruby", owner="team-risk"),
            Service("archive", version="1.0.0", language="ruby", owner="team-risk"),
            database("postgresql", "goods-db", "goods"),
            database("redis", "session-store"),
        ),
        operations=(
            _operation("edge", BROWSE, 6.0, Call("catalog", "List")),
            _operation("edge", ORDER, 8.0, Call("orders", "Place")),
            _operation("edge", ACCOUNT, 5.0, Call("account", "Show")),
            _operation("catalog", "List", 7.0, Call("postgresql goods", "SELECT goods"),
                       Call("stock", "Levels", probability=0.5)),
            _operation("orders", "Place", 12.0, Call("stock", "Levels"), Call("pricing", "Quote"),
                       Call("tariffs", "Quote", probability=0.0),
                       Call("fraud", "Check", probability=0.0)),
            _operation("account", "Show", 6.0, Call("redis session-store", "GET session"),
                       Call("audit", "Record"), Call("archive", "Fetch", probability=0.0)),
            _operation("stock", "Levels", 6.0),
            _operation("pricing", "Quote", 9.0),
            _operation("tariffs", "Quote", 9.0),
            _operation("fraud", "Check", 14.0),
            _operation("audit", "Record", 4.0),
            _operation("archive", "Fetch", 9.0),
            _operation("postgresql goods", "SELECT goods", 5.0),
            _operation("redis session-store", "GET session", 0.6),
        ),
        entries=(
            Entry("edge", BROWSE, 0.10),
            Entry("edge", ORDER, 0.05),
            Entry("edge", ACCOUNT, 0.05),
        ),
    )  # fmt: skip


def _operation(service: str, name: str, own_ms: float, *calls: Call) -> Operation:
    """Return an operation that makes its calls one after the other."""
    stages = tuple(Stage((call,)) for call in calls)
    return Operation(service, name, own_ms, sigma=0.35, error_ratio=0.001, stages=stages)
