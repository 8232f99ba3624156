"""Which upstream a span that names its peer means: a service of this export, or a virtual one."""

from __future__ import annotations

import polars as pl

# Names a cluster gives to its own services; `api.example.com` must not become the service `api`.
_INSIDE_A_CLUSTER = r"(^|\.)svc(\.|$)|(^|\.)(local|internal|consul)$"
_PORT = r":\d+$"


def peers(operations: pl.DataFrame, resources: pl.DataFrame) -> pl.DataFrame:
    """Return whom each operation says it talks to.

    A peer of kind ``service``, ``external`` or ``faas`` whose name is that of a service that emits
    spans is that service (``resolution`` = ``name``). So is a host whose first label is such a
    name, if the rest shows that it is inside the cluster: no further label, ``svc.cluster.local``
    and the like, or the namespace of that service (``resolution`` = ``host``). Databases and queues
    are never resolved: a service called ``redis`` is not the database ``redis``.

    Args:
        operations: As `model.OPERATIONS`.
        resources: As `model.RESOURCES` plus ``service``.

    Returns:
        One row per row of `operations`, in its order: ``operation_id``, ``peer_name``,
        ``peer_kind`` (``''``: nothing said), ``resolution`` (``''``, ``name``, ``host``).
    """
    known = _named(operations, resources)
    may_resolve = pl.col("peer_kind").is_in(["service", "external", "faas"]) & pl.col(
        "peer_name"
    ).ne("")
    inside = (
        pl.col("rest").eq("")
        | pl.col("rest").str.contains(_INSIDE_A_CLUSTER)
        | pl.col("in_namespace").fill_null(value=False)
    )
    resolution = (
        pl.when(may_resolve & pl.col("is_name").fill_null(value=False))
        .then(pl.lit("name"))
        .when(may_resolve & pl.col("is_label").fill_null(value=False) & inside)
        .then(pl.lit("host"))
        .otherwise(pl.lit(""))
    )
    return known.select(
        "operation_id",
        pl.when(resolution == "host").then("first_label").otherwise("peer_name").alias("peer_name"),
        pl.when(resolution == "").then("peer_kind").otherwise(pl.lit("service")).alias("peer_kind"),
        resolution.alias("resolution"),
    )


def _named(operations: pl.DataFrame, resources: pl.DataFrame) -> pl.DataFrame:
    """Return each operation with what its peer's name has in common with services.

    ``is_name`` (it is one's name), ``is_label`` (its first label is one's), ``in_namespace`` (the
    rest of it is that one's namespace): true or null; ``rest``: what follows the first label.
    """
    services = resources.select("service").unique()
    namespaces = resources.select(
        first_label="service", rest="service_namespace", in_namespace=pl.lit(value=True)
    ).unique()
    host = pl.col("peer_name").str.replace(_PORT, "")
    asked = operations.select(
        "operation_id",
        "peer_name",
        "peer_kind",
        first_label=host.str.extract(r"^([^.]*)"),
        rest=host.str.extract(r"^[^.]*\.?(.*)$"),
    )
    known = asked.join(
        services.select(peer_name="service", is_name=pl.lit(value=True)),
        on="peer_name",
        how="left",
        maintain_order="left",
    )
    return known.join(
        services.select(first_label="service", is_label=pl.lit(value=True)),
        on="first_label",
        how="left",
        maintain_order="left",
    ).join(namespaces, on=["first_label", "rest"], how="left", maintain_order="left")
