"""Who recorded the spans: distinct resources and what their attributes say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import polars as pl

from tracemap.ingest.doubles import unmarked
from tracemap.model import RESOURCES, Quality

_SERVICE_NAMES = (
    "faas.name",
    "k8s.deployment.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.job.name",
    "k8s.cronjob.name",
    "k8s.container.name",
    "process.executable.name",
)
"""What a service is called that does not say its name."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "service_namespace": ("service.namespace",),
    "service_version": ("service.version",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "instance": ("service.instance.id", "k8s.pod.name", "host.name"),
    "host": ("host.id", "host.ip", "host.name", "k8s.node.name", "k8s.pod.name"),
    "owner": ("service.owner", "service.team", "team", "owner"),
    "criticality": ("service.criticality",),
}
"""Column to the attributes it is read from, best first."""

_UNKNOWN = "unknown_service"


def _text(attributes: Mapping[str, object], key: str) -> str:
    value = attributes.get(key)
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or isinstance(value, dict):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _first(attributes: Mapping[str, object], keys: Iterable[str]) -> str:
    return next((text for text in (_text(attributes, key) for key in keys) if text), "")


def resource_row(written: str) -> tuple[str | int, ...]:
    """Return one row of `model.RESOURCES`, without its id, from the attributes as JSON text.

    A resource without ``service.name`` is called by what it runs as (`_SERVICE_NAMES`) and is
    marked ``SERVICE_INFERRED``; without that too it is ``unknown_service``. An SDK's own default,
    ``unknown_service:java``, is kept as it is: never merge different unknowns.
    """
    written = unmarked(written)
    attributes: dict[str, object] = json.loads(written) if written else {}
    quality = 0
    name = _text(attributes, "service.name")
    if not name or name == _UNKNOWN:
        inferred = _first(attributes, _SERVICE_NAMES)
        quality |= Quality.SERVICE_INFERRED if inferred else Quality.SERVICE_MISSING
        name = inferred or _UNKNOWN
    elif name.startswith(_UNKNOWN + ":"):
        quality |= Quality.SERVICE_MISSING
    columns = [_first(attributes, keys) for keys in _COLUMNS.values()]
    return (name, *columns, int(quality), written or "{}")


class Resources:
    """The resources of one file: each distinct one is read once.

    They stay known from batch to batch, up to a limit.
    """

    _LIMIT = 10_000

    def __init__(self) -> None:
        self._known: dict[str, tuple[str | int, ...]] = {}

    def table(self, texts: Iterable[str]) -> tuple[pl.DataFrame, list[int]]:
        """Return the distinct resources (`model.RESOURCES`), and the id of each of `texts`."""
        if len(self._known) > self._LIMIT:
            self._known.clear()
        ids: dict[str, int] = {}
        rows = []
        numbers = []
        for text in texts:
            if text not in ids:
                ids[text] = len(ids)
                if text not in self._known:
                    self._known[text] = resource_row(text)
                rows.append((ids[text], *self._known[text]))
            numbers.append(ids[text])
        return pl.DataFrame(rows, schema=RESOURCES.schema, orient="row"), numbers
