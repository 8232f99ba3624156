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
from tracemap.simulate.policies import Breaker, Hedge, Policy, Retry
from tracemap.simulate.random_fault import random_fault
from tracemap.simulate.random_policies import random_policies
from tracemap.simulate.random_shop import random_shop
from tracemap.simulate.sampling import HeadSampling, Sampling, ServiceSampling, TailSampling
from tracemap.simulate.simulated import Simulated, run
from tracemap.simulate.trouble import Deploy, ErrorBurst, Outlier, SlowPod, Surge
from tracemap.simulate.web_shop import shop

__all__ = [
    "Breaker",
    "Call",
    "ColdCache",
    "Deploy",
    "Entry",
    "ErrorBurst",
    "Failing",
    "Fault",
    "HeadSampling",
    "Hedge",
    "MoreCalls",
    "Operation",
    "OperationKey",
    "Outlier",
    "Policy",
    "Retry",
    "Sampling",
    "Service",
    "ServiceSampling",
    "Shop",
    "Simulated",
    "SlowEdge",
    "SlowNetwork",
    "SlowPod",
    "Slower",
    "Stage",
    "Subscription",
    "Surge",
    "TailSampling",
    "database",
    "random_fault",
    "random_policies",
    "random_shop",
    "run",
    "shop",
]
