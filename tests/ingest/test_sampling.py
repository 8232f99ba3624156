"""How many spans one stands for: every convention, each in its own words."""

from __future__ import annotations

import pytest

from tests.ingest.writers import json_line, only_span, traces
from tracemap.model import Quality

UNSAID = int(Quality.NO_SAMPLING_INFORMATION)
SITUATIONS: dict[str, tuple[str, dict[str, object], float | None]] = {
    "threshold": ("ot=th:c", {}, 4.0),
    "threshold of zero": ("ot=th:0", {}, 1.0),
    "threshold behind other members": ("a=b,ot=rv:0123456789abcd;th:8,c=d", {}, 2.0),
    "power of an early specification": ("ot=r:8;p:3", {}, 8.0),
    "power of two digits": ("ot=p:10", {}, 1024.0),
    "power that says none": ("ot=p:63", {}, None),
    "power that is none": ("ot=p:", {}, None),
    "threshold beside a power": ("ot=p:3;th:8", {}, 2.0),
    "threshold of another vendor": ("xot=th:8,v=th:8", {}, None),
    "Honeycomb": ("", {"SampleRate": 20}, 20.0),
    "Honeycomb as text": ("", {"SampleRate": "20"}, 20.0),
    "Honeycomb, all kept": ("", {"sampleRate": 1}, 1.0),
    "rate of a sound": ("", {"sampleRate": 44100}, None),
    "trace state before attributes": ("ot=th:8", {"SampleRate": 20}, 2.0),
    "Datadog": ("", {"_sample_rate": 0.25}, 4.0),
    "Datadog, a rate of many digits": ("", {"_sample_rate": 1 / 3}, 3.0),
    "Datadog, by priority": ("", {"_sampling_priority_rate_v1": 0.5, "_sample_rate": 0.1}, 10.0),
    "Datadog, by the agent": ("", {"_dd.agent_psr": 0.5}, 2.0),
    "Jaeger": ("", {"sampler.type": "probabilistic", "sampler.param": 0.001}, 1000.0),
    "Jaeger, spans a second": ("", {"sampler.type": "ratelimiting", "sampler.param": 2.0}, None),
    "Jaeger, all": ("", {"sampler.type": "const", "sampler.param": True}, None),
    "no number": ("", {"SampleRate": "often"}, None),
    "a rate of zero": ("", {"_sample_rate": 0.0}, None),
    "a negative rate": ("", {"_sample_rate": -0.5}, None),
    "the smallest rate there is": ("", {"_sample_rate": 5e-324}, None),
    "a rate beyond belief": ("", {"_sample_rate": 1e-12}, None),
    "nothing": ("", {}, None),
}


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_weight(name: str, encoding: str) -> None:
    """What is not said, or makes no sense, counts as one and is marked so."""
    state, attributes, expected = SITUATIONS[name]
    data = traces({"state": state, "attributes": attributes})
    row = only_span(json_line(data) if encoding == "json" else data.SerializeToString())

    assert row["weight"] == pytest.approx(expected or 1.0, rel=1e-12)
    assert bool(row["quality"] & UNSAID) == (expected is None)
