"""Simulate: systems with known faults, the oracle of the tests and the maker of sample traces."""

from __future__ import annotations

from tracemap.simulate.blueprint import (
    Call,
    Entry,
    Operation,
    OperationKey,
    Service,
    Shop,
    Stage,
    Subscription,
    database,
)
from tracemap.simulate.fault import Fault
from tracemap.simulate.faults import (
    ColdCache,
    Failing,
    MoreCalls,
    SlowEdge,
    Slower,
    SlowNetwork,
)
from tracemap.simulate.random_fault import random_fault
from tracemap.simulate.random_shop import random_shop
from tracemap.simulate.simulated import Simulated, run
from tracemap.simulate.web_shop import shop

__all__ = [
    "Call",
    "ColdCache",
    "Entry",
    "Failing",
    "Fault",
    "MoreCalls",
    "Operation",
    "OperationKey",
    "Service",
    "Shop",
    "Simulated",
    "SlowEdge",
    "SlowNetwork",
    "Slower",
    "Stage",
    "Subscription",
    "database",
    "random_fault",
    "random_shop",
    "run",
    "shop",
]
