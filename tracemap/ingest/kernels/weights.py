"""How many spans one stands for, by the sampling decision in its trace state."""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import NINE, ZERO, hex_value
from tracemap.ingest.kernels.layout import Bytes
from tracemap.ingest.kernels.machine import signed, step

_ALL_DIGITS = 14
_POWER_MAX = 62


@step
def _threshold_weight(data: Bytes, at: int, end: int) -> float:
    """Return 2**56 / (2**56 - T), T the threshold: up to 14 hex digits, zeros behind left out."""
    threshold = 0
    digits = 0
    while at < end and digits < _ALL_DIGITS:
        digit = hex_value(signed(data[at]))
        if digit < 0:
            break
        threshold = threshold * 16 + digit
        digits += 1
        at += 1
    if digits == 0:
        return 0.0
    threshold <<= 4 * (_ALL_DIGITS - digits)
    return 2.0**56 / (2.0**56 - threshold)


@step
def _power_weight(data: Bytes, at: int, end: int) -> float:
    """Return 2**p, p one or two decimal digits below 63; 63 says that a span stands for none."""
    power = 0
    start = at
    while at < end and at - start < 3 and data[at] >= ZERO and data[at] <= NINE:
        power = power * 10 + signed(data[at]) - ZERO
        at += 1
    if at == start or power > _POWER_MAX:
        return 0.0
    return 2.0**power


@step
def trace_state_weight(data: Bytes, start: int, end: int) -> float:
    """Return how many spans one stands for, by its trace state; 0: not said.

    By ``th:`` of the member ``ot=`` (OpenTelemetry specification, trace state handling), else by
    ``p:``, which an experimental version of it had.
    """
    at = start
    while at + 3 <= end and not (
        data[at] == 111
        and data[at + 1] == 116
        and data[at + 2] == 61
        and (at == start or data[at - 1] == 44 or data[at - 1] == 32)
    ):
        at += 1
    at += 3
    weight = 0.0
    while at + 3 <= end and data[at] != 44:
        if data[at] == 116 and data[at + 1] == 104 and data[at + 2] == 58:
            return _threshold_weight(data, at + 3, end)
        if data[at] == 112 and data[at + 1] == 58:
            weight = _power_weight(data, at + 2, end)
        while at < end and data[at] != 59 and data[at] != 44:
            at += 1
        if at < end and data[at] == 59:
            at += 1
    return weight
