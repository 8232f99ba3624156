"""Tables of spans: Parquet of Tempo, ClickHouse and otlp2parquet, and ClickHouse's text exports.

A table is read piece by piece (`parquet`, `delimited`), its nested columns are laid flat with their
list offsets (`columns`, `tempo`, `clickhouse`), written as OTLP/JSON by one kernel (`spans`), and
decoded like any other OTLP.
"""
