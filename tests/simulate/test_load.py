from __future__ import annotations

import numpy as np
import pytest

from tests.simulate.small import call, system
from tracemap.simulate import OperationKey, Service, Shop
from tracemap.simulate.load import CELL_NS, LONGEST_BACKLOG_NS, Load
from tracemap.simulate.places import Execution

KEY = OperationKey("a", "work")


def _shop(slots: int | None) -> Shop:
    shop = system((call("a"),))
    services = {**shop.services, "a": Service("a", replicas=1, slots=slots)}
    return Shop(shop.name, services, shop.operations, shop.entries, shop.subscriptions)


def _executions(per_cell: list[int], work_ms: int) -> Execution:
    starts = [
        CELL_NS * cell + CELL_NS * number // count
        for cell, count in enumerate(per_cell)
        for number in range(count)
    ]
    size = len(starts)
    work_ns = np.full(size, work_ms * 1_000_000)
    nothing = np.zeros(size, dtype=np.int64)
    return Execution(
        "a", KEY, np.arange(size), np.array(starts), nothing, work_ns, nothing, work_ns,
        nothing > 0,
    )  # fmt: skip


def _mean_wait_ms(load: Load, cell: int, luck: int = 1_000_000) -> float:
    at_ns, luck_of_one = np.array([cell * CELL_NS]), np.array([luck])
    return float(load.wait_ns("a", np.array([0]), at_ns, luck_of_one)[0]) / 1_000_000


@pytest.mark.parametrize(("calls", "wait_ms"), [(20, 5.0), (50, 20.0), (80, 80.0)])
def test_one_slot_makes_the_waits_of_one_server(calls: int, wait_ms: float) -> None:
    """20 ms of work at 20, 50, 80 calls in two seconds: work * u / (1 - u)."""
    load = Load.of(_shop(1), [_executions([calls], 20)], Load())

    assert _mean_wait_ms(load, 0) == pytest.approx(wait_ms)


def test_more_slots_wait_less_at_the_same_utilisation() -> None:
    """Four slots with four times the calls."""
    one = Load.of(_shop(1), [_executions([80], 20)], Load())
    four = Load.of(_shop(4), [_executions([320], 20)], Load())

    assert _mean_wait_ms(four, 0) < _mean_wait_ms(one, 0) / 4


def test_what_cannot_be_done_is_carried_over_and_worked_off() -> None:
    """Three seconds of work in two leave one second, which an idle cell clears."""
    load = Load.of(_shop(1), [_executions([150, 1, 1], 20)], Load())

    assert [_mean_wait_ms(load, cell, luck=0) for cell in range(3)] == [0, 1_000, 0]


def test_no_backlog_is_longer_than_ten_seconds() -> None:
    """Whatever the load."""
    load = Load.of(_shop(1), [_executions([5_000] * 3, 20)], Load())

    assert _mean_wait_ms(load, 2, luck=0) == LONGEST_BACKLOG_NS / 1_000_000


def test_without_slots_nobody_waits() -> None:
    """However many calls there are."""
    load = Load.of(_shop(None), [_executions([5_000], 20)], Load())

    assert load.queues == {}
    assert _mean_wait_ms(load, 0) == 0


def test_rounds_go_halfway() -> None:
    """What was assumed and what was measured count the same."""
    before = Load.of(_shop(1), [_executions([20], 20)], Load())
    after = Load.of(_shop(1), [_executions([50, 50], 20)], before)

    assert _mean_wait_ms(after, 0) == pytest.approx((5 + 20) / 2)
    assert _mean_wait_ms(after, 1) == pytest.approx(20 / 2)
