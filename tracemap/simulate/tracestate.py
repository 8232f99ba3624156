"""The OpenTelemetry member of a W3C trace state: how likely a trace was to be kept."""

from __future__ import annotations

_BITS = 56
_DIGITS = _BITS // 4


def rejection_threshold(probability: float) -> int:
    """Return the threshold below which randomness is dropped: ``(1 - probability) * 2**56``."""
    return round((1 - probability) * (1 << _BITS))


def tracestate(probability: float) -> str:
    """Return ``ot=th:...`` for traces kept with this probability; trailing zeros are left out."""
    digits = f"{rejection_threshold(probability):0{_DIGITS}x}".rstrip("0")
    return f"ot=th:{digits or '0'}"


def adjusted_count(state: str) -> float:
    """Return how many traces one with this trace state stands for; 0.0 if it does not say."""
    _, found, digits = state.partition("ot=th:")
    if not found:
        return 0.0
    threshold = int(digits.ljust(_DIGITS, "0"), 16)
    return (1 << _BITS) / ((1 << _BITS) - threshold)
