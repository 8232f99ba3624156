"""Who recorded a span, and what they are called if they do not say."""

from __future__ import annotations

import json

import pytest

from tests.ingest.writers import only_batch, traces
from tracemap.ingest.resources import Resources, resource_row
from tracemap.model import RESOURCES


def row(**attributes: object) -> dict[str, object]:
    text = json.dumps({key.replace("__", "."): value for key, value in attributes.items()})
    return dict(zip(RESOURCES.schema.names()[1:], resource_row(text), strict=True))


@pytest.mark.parametrize(
    ("attributes", "name", "quality"),
    [
        ({"service__name": "cart", "faas__name": "f"}, "cart", 0),
        ({"faas__name": "f", "k8s__deployment__name": "d"}, "f", 4096),
        ({"k8s__deployment__name": "d", "k8s__container__name": "c"}, "d", 4096),
        ({"service__name": "", "process__executable__name": "java"}, "java", 4096),
        ({"service__name": "unknown_service", "k8s__job__name": "j"}, "j", 4096),
        ({"service__name": "unknown_service:java"}, "unknown_service:java", 2048),
        ({}, "unknown_service", 2048),
    ],
)
def test_a_service_without_a_name_is_called_by_what_it_runs_as(
    attributes: dict[str, object], name: str, quality: int
) -> None:
    """Never silently: the row is marked."""
    found = row(**attributes)

    assert (found["service_name"], found["quality"]) == (name, quality)


def test_new_names_win_and_instances_are_found() -> None:
    """Environment was renamed in 1.27; hosts are clock domains."""
    found = row(
        deployment__environment="old",
        deployment__environment__name="new",
        k8s__pod__name="pod-1",
        host__ip=["10.0.0.1", "::1"],
        service__criticality="high",
    )

    assert found["environment"] == "new"
    assert (found["instance"], found["host"]) == ("pod-1", "10.0.0.1")
    assert found["criticality"] == "high"


def test_equal_resources_are_one_row() -> None:
    """The SDK repeats its resource with every export."""
    table, ids = Resources().table(['{"service.name":"a"}', "", '{"service.name":"a"}'])

    assert ids == [0, 1, 0]
    assert table.height == 2


def test_numbers_that_have_no_short_decimal_survive() -> None:
    """A resource's numbers take the long way round through the decoder."""
    value = 0.1 + 0.2
    data = traces({}, resource={"service.name": "a", "x": [value, 1e300]})
    (written,) = only_batch(data.SerializeToString()).resources["attributes"]

    assert json.loads(written)["x"] == [value, 1e300]


def test_resources_without_spans_are_not_reported() -> None:
    """A resource of rejected spans, or of logs, recorded nothing that is stored."""
    data = traces({}, resource={"service.name": "a"})
    data.MergeFrom(traces(resource={"service.name": "idle"}))

    assert only_batch(data.SerializeToString()).resources["service_name"].to_list() == ["a"]
