-- The tables of a tracemap database. This file makes them; `docs/schema.md` is generated from it.
--
-- Times are nanoseconds since the epoch (UTC), durations nanoseconds, both BIGINT. Trace ids are
-- two unsigned integers, span ids one: joins on integers are several times faster than on text.
-- People read the views `spans` and `traces`, which have ids as hex.
--
-- Version history:
--   1  first version
--   2  findings user_operations and critical_path; p95 before and during an incident in edges
--   3  pattern_facts, pattern_exemplars
--   4  reach_facts, slack_facts; findings bottlenecks, dependencies, availability, cycles
--   5  versions of services; findings drift, regressions, budget and trend; pruned hours
--   6  skew_facts, duplicates, operations.peer_place
--   7  finding insulation
--   8  request_facts; failures and unanswered calls in path_facts; finding errors; failures in origins
--   9  finding flow_bands
--  10  weighted requests in path_facts
--  11  days of a week in trend
--  12  versions since which edges and components are what they are
--  13  origins of the leaves of flow; doubt and what the flow charges in origins
--  14  finding declarations
--  15  parallel_facts
--  16  calls by instance in pattern_facts
--  17  p90, slowest call, retries and traces in edges; typical traces in origins
--  18  rpc_services

-- One row: whose database this is. A file without it is not ours and is left alone.
CREATE TABLE meta (
    application    VARCHAR, -- always 'tracemap'
    schema_version INTEGER, -- number in the version history above
    created_by     VARCHAR  -- version of tracemap that made the database or upgraded it last
);

-- == Spans as read ==

-- One row per span, in the order of arrival and within a batch by trace. Unique by (trace_high,
-- trace_low, span_id): kept so by the writer, because an index over random ids would cost more than
-- the spans. How each column is packed is said: left to choose, DuckDB tries all its ways on every row.
CREATE TABLE stored_spans (
    trace_high   UBIGINT   USING COMPRESSION rle,        -- first 8 bytes of the trace id
    trace_low    UBIGINT   USING COMPRESSION rle,        -- last 8 bytes of the trace id
    span_id      UBIGINT   USING COMPRESSION uncompressed, -- span id; never 0
    parent_id    UBIGINT   USING COMPRESSION uncompressed, -- span id of the parent; 0: none
    start_ns     BIGINT    USING COMPRESSION bitpacking, -- ns since the epoch: start as recorded
    duration_ns  BIGINT    USING COMPRESSION bitpacking, -- ns: end - start as recorded; null: no end
    operation_id INTEGER   USING COMPRESSION bitpacking, -- row of `operations`
    resource_id  INTEGER   USING COMPRESSION bitpacking, -- row of `resources`
    status_code  UTINYINT  USING COMPRESSION rle,        -- OTLP status: 0 unset, 1 ok, 2 error
    flags        USMALLINT USING COMPRESSION rle,        -- OTLP flags; 0x300 mask: parent known to be remote
    http_status  SMALLINT  USING COMPRESSION rle,        -- HTTP response status; null: none
    resend_count SMALLINT  USING COMPRESSION rle,        -- ordinal of a resend; 0: first attempt or unknown
    error_type   VARCHAR   USING COMPRESSION dict_fsst,  -- class of the error; null: none given
    weight       DOUBLE    USING COMPRESSION rle,        -- spans this one stands for (sampling); 1: unknown
    quality      UINTEGER  USING COMPRESSION rle,        -- bits of `Quality`
    attributes   VARCHAR   USING COMPRESSION zstd,       -- span attributes as one JSON object; null: none
    file_id      INTEGER   USING COMPRESSION rle         -- row of `files`: where it was read
);

-- One row per distinct sort of span: what low-cardinality text a span carries.
CREATE TABLE operations (
    operation_id        INTEGER,   -- row of `operations`
    kind                UTINYINT,  -- `Kind`
    name                VARCHAR,   -- span name as recorded
    operation           VARCHAR,   -- low-cardinality operation name
    protocol            VARCHAR,   -- http, grpc, rpc, database, messaging, faas, ...; ''
    peer_kind           VARCHAR,   -- service, database, queue, external, faas, genai; '': not said
    peer_name           VARCHAR,   -- whom the span says it talks to; ''
    messaging_operation VARCHAR,   -- send, receive, process, settle, create; ''
    scope               VARCHAR,   -- instrumentation scope name
    peer_place          VARCHAR    -- server of a database, system of a queue: tells equal names apart; ''
);

-- One row per distinct resource: who recorded the span.
CREATE TABLE resources (
    resource_id       INTEGER,   -- row of `resources`
    service_name      VARCHAR,   -- `service.name` or the inferred name
    service_namespace VARCHAR,   -- `service.namespace`; ''
    service_version   VARCHAR,   -- `service.version`; ''
    environment       VARCHAR,   -- `deployment.environment.name`; ''
    instance          VARCHAR,   -- instance id, else pod name, else host; ''
    host              VARCHAR,   -- clock domain: host.id, host.ip, host.name, pod; ''
    owner             VARCHAR,   -- `service.owner`-like attribute; ''
    criticality       VARCHAR,   -- `service.criticality`; ''
    quality           UINTEGER,  -- bits of `Quality` that hold for all its spans
    attributes        VARCHAR    -- resource attributes as one JSON object
);

-- Who answers each RPC service: one row per resource that recorded spans of its SERVER side.
CREATE TABLE rpc_services (
    rpc_service VARCHAR, -- what its operations begin with, `shop.Cart` of `shop.Cart/GetCart`
    resource_id INTEGER  -- row of `resources`
);

-- One row per span link; distinct. The target may be in another trace, or not stored at all.
CREATE TABLE links (
    trace_high        UBIGINT,   -- first 8 bytes of the trace id
    trace_low         UBIGINT,   -- last 8 bytes of the trace id
    span_id           UBIGINT,   -- span id; never 0
    linked_trace_high UBIGINT,   -- first 8 bytes of the linked trace id
    linked_trace_low  UBIGINT,   -- last 8 bytes of the linked trace id
    linked_span_id    UBIGINT    -- linked span id
);

-- One row per file taken in. records = spans + duplicates + rejected.
CREATE TABLE files (
    file_id      INTEGER,   -- number of the file, from 1
    path         VARCHAR,   -- as given
    size_bytes   BIGINT,    -- bytes: size on disk
    content_hash VARCHAR,   -- hash of the bytes on disk; known files are skipped
    format       VARCHAR,   -- otlp-json, otlp-protobuf, ...
    records      BIGINT,    -- span records read, bad ones included
    spans        BIGINT,    -- spans stored
    duplicates   BIGINT,    -- spans that were stored already
    rejected     BIGINT,    -- records that could not be taken
    skipped      BIGINT,    -- records of other signals (logs, metrics)
    ingested_at  VARCHAR    -- when, ISO-8601 in UTC
);

-- One row per line or record that could not be taken.
CREATE TABLE rejects (
    file_id INTEGER,   -- row of `files`
    line    BIGINT,    -- line or record number in the file, from 1; 0: whole file
    reason  VARCHAR,   -- why, one of the reasons in docs/messages.md
    records BIGINT,    -- spans lost with it, at least 1
    excerpt VARCHAR    -- first 200 bytes, as text
);

-- Copies of spans that were not stored again, by the resource they name.
CREATE TABLE duplicates (
    file_id     INTEGER,   -- row of `files`: where the copies were read
    resource_id INTEGER,   -- row of `resources`
    spans       BIGINT     -- copies
);

-- Index of the traces: what one piece of one file held of one trace. A trace that came in several
-- pieces has several rows: its start is the least `first_ns`. Finds the traces of a time range and
-- whether a trace is stored already without touching the spans.
CREATE TABLE trace_parts (
    trace_high UBIGINT, -- first 8 bytes of the trace id
    trace_low  UBIGINT, -- last 8 bytes of the trace id
    first_ns   BIGINT,  -- ns since the epoch: earliest start of these spans
    last_ns    BIGINT,  -- ns since the epoch: latest start of these spans
    spans      BIGINT   -- spans in the piece
);

-- Hours whose facts are out of date, because traces that start in them changed.
CREATE TABLE dirty_hours (
    hour_ns BIGINT -- ns since the epoch: start of the hour
);

-- Hours whose spans were pruned. Their facts stay as they are: they are never derived again, and spans
-- that arrive late for such an hour are rejected.
CREATE TABLE pruned_hours (
    hour_ns  BIGINT, -- ns since the epoch: start of the hour
    traces   BIGINT, -- traces pruned that start in it
    spans    BIGINT, -- their spans
    first_ns BIGINT, -- ns since the epoch: earliest start of a pruned span
    last_ns  BIGINT  -- ns since the epoch: latest start of a pruned span
);

-- == Facts: sums per cell of time, derived from the spans ==

-- Sums per cell, edge, operations and rule. A trace belongs to the cell in which it starts.
CREATE TABLE edge_facts (
    window_start_ns      BIGINT,    -- ns since the epoch: start of the cell
    downstream           VARCHAR,   -- who consumes and waits
    downstream_operation VARCHAR,   -- operation in which the call was made; ''
    upstream             VARCHAR,   -- who provides
    upstream_operation   VARCHAR,   -- operation called
    upstream_kind        VARCHAR,   -- service, database, queue, external, faas, genai, unknown
    downstream_kind      VARCHAR,   -- service, queue, user
    connection_type      VARCHAR,   -- rpc, messaging, database, external, link
    protocol             VARCHAR,   -- http, grpc, ...; ''
    evidence             VARCHAR,   -- the rule that made it (docs/methods.md#edges)
    calls                BIGINT,    -- calls
    calls_weighted       DOUBLE,    -- calls, adjusted for sampling
    errors_downstream    BIGINT,    -- calls whose client span has status ERROR
    errors_upstream      BIGINT,    -- calls whose server span has status ERROR
    client_calls         BIGINT,    -- calls with a client duration
    client_ns            BIGINT,    -- ns: sum of client durations
    server_calls         BIGINT,    -- calls with a server duration
    server_ns            BIGINT,    -- ns: sum of server durations
    gap_calls            BIGINT,    -- calls with both, client >= server
    gap_ns               BIGINT,    -- ns: sum of client - server over those
    first_ns             BIGINT,    -- ns since the epoch: first call (min)
    last_ns              BIGINT     -- ns since the epoch: last call (max)
);

-- Log-bucket histogram per cell and unit (docs/methods.md). Units: `server` (duration of an operation
-- as its service records it), `self` (its own time), and per edge `client` (what downstream waits)
-- and `gap` (client - server); `wait` (consumer start - producer end).
CREATE TABLE latency_facts (
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    unit            VARCHAR,   -- server, self, client, gap, wait
    service         VARCHAR,   -- whose operation; for edges: upstream
    operation       VARCHAR,   -- operation; for edges: the one called
    downstream      VARCHAR,   -- who waits (for server: the caller, '' for a root); self: ''
    bucket          INTEGER,   -- log bucket; `ZERO_BUCKET` for zero
    count           BIGINT,    -- observations
    sum_ns          BIGINT,    -- ns: their sum
    errors          BIGINT     -- those with status ERROR
);

-- One row per call path. Paths alternate: `entry` (an operation of a service, INTERNAL spans below
-- it folded in) and `call` (a client span, leaving it). A `call` with no `entry` below ends at a
-- virtual upstream.
CREATE TABLE paths (
    path_id        UBIGINT,   -- hash of the whole path
    parent_path_id UBIGINT,   -- hash without the last step; 0: root
    depth          INTEGER,   -- steps above; 0: root
    step           VARCHAR,   -- entry or call
    service        VARCHAR,   -- who recorded the span: for a call, downstream
    operation      VARCHAR,   -- operation of the span
    upstream       VARCHAR,   -- for a call: whom it reached (may be virtual); else ''
    upstream_kind  VARCHAR    -- for a call: service, database, ...; else ''
);

-- Sums per cell, hash bucket of the trace and call path (docs/methods.md). For an entry: duration =
-- self + on-path time of the calls in it. For a call: duration = gap (`self_ns`) + on-path time of
-- the entry below; with none below, all of it is the virtual upstream's.
CREATE TABLE path_facts (
    window_start_ns    BIGINT,    -- ns since the epoch: start of the cell
    hash_bucket        UTINYINT,  -- trace id hashed to 0 .. JACKKNIFE_BUCKETS - 1
    path_id            UBIGINT,   -- row of `paths`
    calls              BIGINT,    -- calls
    callers            BIGINT,    -- parent steps with at least one such call; root: calls
    errors             BIGINT,    -- spans with status ERROR
    duration_ns        BIGINT,    -- ns: sum of durations
    self_ns            BIGINT,    -- ns: sum of own time by local tiling
    on_parent_ns       BIGINT,    -- ns: sum of on-path time within the parent step
    critical_ns        BIGINT,    -- ns: sum of exclusive time on the critical path
    async_ns           BIGINT,    -- ns: sum of durations ruled not to block the parent
    abandoned_ns       BIGINT,    -- ns: sum of server end - client end, where later
    overlap_calls      BIGINT,    -- calls that overlap a sibling in time
    unanswered         BIGINT,    -- calls that no recorded entry answered
    unanswered_ns      BIGINT,    -- ns: sum of their durations
    charged_errors     BIGINT,    -- errors that made the parent step fail: the last to end of those in it
    request_errors     BIGINT,    -- failed root requests charged to this step, the last of their chain
    hit_callers        BIGINT,    -- parent steps with at least one such call that failed
    hit_callers_failed BIGINT,    -- those of them that failed
    callers_failed     BIGINT,    -- parent steps with at least one such call that failed themselves
    requests_weighted  DOUBLE,    -- root: requests, adjusted for sampling; 0 below it
    request_errors_weighted DOUBLE -- request_errors, adjusted for sampling
);

-- Sums per cell, hash bucket of the trace, root operation and class: the set of distinct calls that
-- the root itself made (docs/methods.md#mix).
CREATE TABLE request_facts (
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    hash_bucket     UTINYINT,  -- trace id hashed to 0 .. JACKKNIFE_BUCKETS - 1
    service         VARCHAR,   -- service of the root entry
    operation       VARCHAR,   -- operation of the root entry
    class_id        UBIGINT,   -- hash of the paths of its calls; 0: it made none
    requests        BIGINT,    -- root entries
    errors          BIGINT,    -- those with status ERROR
    duration_ns     BIGINT,    -- ns: sum of durations
    self_ns         BIGINT,    -- ns: sum of own time by local tiling
    self_buckets    BIGINT,    -- sum of the log buckets of own times
    self_squares    BIGINT     -- sum of the squares of those buckets
);

-- How calls of one operation follow each other, end and are cut short, counted per cell, edge
-- between operations and pattern (docs/methods.md#pattern-facts).
CREATE TABLE pattern_facts (
    window_start_ns      BIGINT,    -- ns since the epoch: start of the cell
    downstream           VARCHAR,   -- who consumes and waits
    downstream_operation VARCHAR,   -- operation that makes the calls
    upstream             VARCHAR,   -- who provides
    upstream_operation   VARCHAR,   -- operation called
    pattern              VARCHAR,   -- what is counted (docs/methods.md#pattern-facts)
    part                 INTEGER,   -- bits, attempt, calls or log bucket, by pattern
    other                VARCHAR,   -- next and after_failure: upstream called after it; else ''
    other_operation      VARCHAR,   -- and its operation; else ''
    count                BIGINT,    -- how often
    time_ns              BIGINT,    -- ns: sum of the pattern's main time
    extra_ns             BIGINT,    -- ns: sum of its other time
    squares              BIGINT     -- sum of squares of delays in units of 100 us
);

-- A few calls per cell, edge and pattern that show it best.
CREATE TABLE pattern_exemplars (
    window_start_ns      BIGINT,    -- ns since the epoch: start of the cell
    downstream           VARCHAR,   -- who consumes and waits
    downstream_operation VARCHAR,   -- operation that makes the calls
    upstream             VARCHAR,   -- who provides
    upstream_operation   VARCHAR,   -- operation called
    pattern              VARCHAR,   -- what is counted (docs/methods.md#pattern-facts)
    other                VARCHAR,   -- next and after_failure: upstream called after it; else ''
    other_operation      VARCHAR,   -- and its operation; else ''
    rank                 INTEGER,   -- 1 is the first choice
    trace_high           UBIGINT,   -- first 8 bytes of the trace id
    trace_low            UBIGINT,   -- last 8 bytes of the trace id
    span_id              UBIGINT,   -- the call
    other_span_id        UBIGINT,   -- the other call of the pattern; 0: none
    size_ns              BIGINT     -- ns: by what it was chosen: the largest first
);

-- Counts per cell, service and reason: spans that made no edge, orphans, skew, odd times.
CREATE TABLE quality_facts (
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    service         VARCHAR,   -- who recorded the spans
    reason          VARCHAR,   -- see docs/messages.md#quality
    spans           BIGINT     -- how many
);

-- Requests per cell, root operation and node below it that they reached, however often. The node ''
-- stands for all requests of the root.
CREATE TABLE reach_facts (
    window_start_ns BIGINT,  -- ns since the epoch: start of the cell
    root_service    VARCHAR, -- service of the root entry
    root_operation  VARCHAR, -- operation of the root entry
    upstream        VARCHAR, -- the node reached: a service, or a virtual upstream
    upstream_kind   VARCHAR, -- service, database, queue, external, faas, genai, unknown
    requests        BIGINT,  -- requests that reached it
    waiting         BIGINT,  -- those of them with it on their critical path
    hit             BIGINT,  -- those in which a failure began at it
    hit_failed      BIGINT,  -- those of them whose root failed
    missed_failed   BIGINT   -- those not hit whose root failed
);

-- Calls per cell and call path that were hidden behind a slower sibling, and how far.
CREATE TABLE slack_facts (
    window_start_ns BIGINT,  -- ns since the epoch: start of the cell
    path_id         UBIGINT, -- row of `paths`
    hidden_calls    BIGINT,  -- calls that nobody had to wait for
    slack_ns        BIGINT   -- ns: sum of what they could have taken longer unnoticed
);

-- How far the calls of a path reach into blocks of calls side by side: from the start of the block
-- to the end of the path's last call in it (docs/methods.md#parallel-calls).
CREATE TABLE parallel_facts (
    window_start_ns BIGINT,  -- ns since the epoch: start of the cell
    path_id         UBIGINT, -- row of `paths`
    block_id        UBIGINT, -- which sort of block: a hash of the paths in it
    bucket          INTEGER, -- log bucket of the reach, four times as wide as others
    count           BIGINT,  -- blocks
    reach_ns        BIGINT,  -- ns: sum of reaches
    on_parent_ns    BIGINT   -- ns: sum of on-path time in these blocks
);

-- Spans per cell, service and version: which versions of a service ran when.
CREATE TABLE version_facts (
    window_start_ns BIGINT,     -- ns since the epoch: start of the cell
    service         VARCHAR,    -- who recorded the spans
    version         VARCHAR,    -- `service.version`; ''
    spans           BIGINT,     -- how many
    first_ns        BIGINT,     -- ns since the epoch: start of the first (min)
    last_ns         BIGINT      -- ns since the epoch: start of the last (max)
);

-- Between which times the clocks of two hosts can differ, by the calls between them, in both
-- directions (docs/methods.md#clock-skew). What is to be added to the other host's clock is at least
-- `least` and at most `most`.
CREATE TABLE skew_facts (
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    host            VARCHAR,   -- host whose clock counts; '(service)' where none is named
    other_host      VARCHAR,   -- the other one, later by name
    bound           VARCHAR,   -- least or most
    bucket          INTEGER,   -- signed log bucket of the bound; 0: near zero
    count           BIGINT     -- calls
);

-- A few traces per cell and entry operation: the slowest, and those nearest to the median.
CREATE TABLE exemplars (
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    service         VARCHAR,   -- service of the root entry
    operation       VARCHAR,   -- operation of the root entry
    role            VARCHAR,   -- worst or typical
    rank            INTEGER,   -- 1 is the first choice
    trace_high      UBIGINT,   -- first 8 bytes of the trace id
    trace_low       UBIGINT,   -- last 8 bytes of the trace id
    duration_ns     BIGINT     -- ns: duration of the root span
);

-- == Findings: answers, one set per recipe that was run ==

-- The observed graph: one row per downstream, upstream and connection type.
CREATE TABLE edges (
    recipe            VARCHAR,   -- name of the recipe that wrote the row
    downstream        VARCHAR,   -- who consumes and waits
    upstream          VARCHAR,   -- who provides
    upstream_kind     VARCHAR,   -- service, database, queue, external, faas, genai, unknown
    connection_type   VARCHAR,   -- rpc, messaging, database, external, link
    protocol          VARCHAR,   -- the most frequent one
    evidence          VARCHAR,   -- rules that made it with counts: 'paired 120, peer 3'
    calls             BIGINT,    -- calls
    calls_weighted    DOUBLE,    -- calls, adjusted for sampling
    errors_downstream BIGINT,    -- calls that failed as downstream saw it
    errors_upstream   BIGINT,    -- calls that failed as upstream saw it
    p50_ns            BIGINT,    -- ns: median of what downstream waited (client, else server)
    p95_ns            BIGINT,    -- ns: 95th percentile of the same
    p99_ns            BIGINT,    -- ns: 99th percentile of the same
    server_p50_ns     BIGINT,    -- ns: median of what upstream took; null: unknown
    server_p95_ns     BIGINT,    -- ns: 95th percentile of the same
    server_p99_ns     BIGINT,    -- ns: 99th percentile of the same
    gap_p50_ns        BIGINT,    -- ns: median of client - server; null: unknown
    gap_p95_ns        BIGINT,    -- ns: 95th percentile of the same
    gap_p99_ns        BIGINT,    -- ns: 99th percentile of the same
    first_ns          BIGINT,    -- ns since the epoch: first call seen
    last_ns           BIGINT,    -- ns since the epoch: last call seen
    baseline_p95_ns   BIGINT,    -- ns: p95 in the baseline; null: not compared
    incident_p95_ns   BIGINT,    -- ns: p95 in the incident; null: not compared
    p90_ns            BIGINT,    -- ns: 90th percentile of what downstream waited
    max_ns            BIGINT,    -- ns: the slowest call, within 0.55 %
    retries           BIGINT,    -- calls made again after one of the same request failed
    typical_trace     VARCHAR,   -- id of a trace near the median; null: none
    slow_trace        VARCHAR    -- id of the slowest trace; null: none
);

-- Episodes in which a unit's latency left its baseline (docs/methods.md), worst first.
CREATE TABLE spikes (
    recipe          VARCHAR,   -- name of the recipe that wrote the row
    unit            VARCHAR,   -- server, client, gap or self
    service         VARCHAR,   -- whose operation; for client and gap: upstream
    operation       VARCHAR,   -- the operation
    downstream      VARCHAR,   -- for client and gap: who waits; else ''
    start_ns        BIGINT,    -- ns since the epoch: start of the first flagged cell
    end_ns          BIGINT,    -- ns since the epoch: end of the last flagged cell
    baseline_p50_ns BIGINT,    -- ns: median in the baseline cells
    p50_ns          BIGINT,    -- ns: median in the episode
    baseline_p95_ns BIGINT,    -- ns: 95th percentile in the baseline cells
    p95_ns          BIGINT,    -- ns: 95th percentile in the episode
    ratio           DOUBLE,    -- p95 / baseline p95
    z               DOUBLE,    -- largest robust z of the episode's cells
    calls           BIGINT,    -- calls in the episode
    excess_ns       BIGINT     -- ns: calls x rise of the mean: what it cost in all
);

-- How the change of an entry operation's mean latency splits over its call paths (docs/methods.md).
-- Leaves of one root add up to the change of its mean.
CREATE TABLE flow (
    recipe         VARCHAR,   -- name of the recipe that wrote the row
    root_service   VARCHAR,   -- service of the root operation
    root_operation VARCHAR,   -- the root operation
    requests       BIGINT,    -- requests of the root operation in the incident
    path_id        UBIGINT,   -- row of `paths`
    parent_path_id UBIGINT,   -- row of `paths`; 0: root
    hops           INTEGER,   -- calls between this step and the root
    leaf           VARCHAR,   -- self, gap, calls, virtual, small, unresolved; '': inner
    service        VARCHAR,   -- service of the step; for a gap: downstream
    operation      VARCHAR,   -- operation of the step
    upstream       VARCHAR,   -- for gap, calls and virtual: upstream; else ''
    share_ns       BIGINT,    -- ns: what flows through or ends here, per root request
    low_ns         BIGINT,    -- ns: lower end of its 95 % interval; null: not known
    high_ns        BIGINT,    -- ns: upper end; null: not known
    origin         INTEGER    -- rank of the origin a leaf is charged to; null: none
);

-- How the change of the requests around a percentile of a root operation splits over its call paths
-- (docs/methods.md). Leaves of one root and band add up to the change of the band.
CREATE TABLE flow_bands (
    recipe             VARCHAR, -- name of the recipe that wrote the row
    band               VARCHAR, -- p50, p95 or p99
    root_service       VARCHAR, -- service of the root operation
    root_operation     VARCHAR, -- the root operation
    requests           BIGINT,  -- requests in the band, in the incident
    baseline_requests  BIGINT,  -- requests in the band, in the baseline
    band_change_ns     BIGINT,  -- ns: change of the mean of the requests in the band
    quantile_change_ns BIGINT,  -- ns: change of the percentile itself
    smoothing_ns       BIGINT,  -- ns: change of the band - change of the percentile
    path_id            UBIGINT, -- row of `paths`
    leaf               VARCHAR, -- self, gap, calls, virtual, small, unresolved
    service            VARCHAR, -- service of the step; for a gap: downstream
    operation          VARCHAR, -- operation of the step
    upstream           VARCHAR, -- for gap, calls and virtual: upstream; else ''
    share_ns           BIGINT,  -- ns: what ends here, per request of the band
    low_ns             BIGINT,  -- ns: lower end of its 95 % interval; null: not known
    high_ns            BIGINT   -- ns: upper end; null: not known
);

-- What users waited for before and during an incident, one row per root operation.
CREATE TABLE user_operations (
    recipe            VARCHAR,   -- name of the recipe that wrote the row
    service           VARCHAR,   -- service of the root operation
    operation         VARCHAR,   -- the root operation
    requests          BIGINT,    -- requests in the incident
    baseline_requests BIGINT,    -- requests in the baseline
    errors            BIGINT,    -- requests that failed, in the incident
    baseline_errors   BIGINT,    -- requests that failed, in the baseline
    mean_ns           BIGINT,    -- ns: mean in the incident; null: no requests
    baseline_mean_ns  BIGINT,    -- ns: mean in the baseline; null: no requests
    p50_ns            BIGINT,    -- ns: median in the incident
    baseline_p50_ns   BIGINT,    -- ns: median in the baseline
    p95_ns            BIGINT,    -- ns: 95th percentile in the incident
    baseline_p95_ns   BIGINT,    -- ns: 95th percentile in the baseline
    p99_ns            BIGINT,    -- ns: 99th percentile in the incident
    baseline_p99_ns   BIGINT     -- ns: 99th percentile in the baseline
);

-- Time on the critical path per call path, exclusive: all steps of a root operation add up to the
-- time of its requests (docs/methods.md#critical-path).
CREATE TABLE critical_path (
    recipe         VARCHAR,   -- name of the recipe that wrote the row
    root_service   VARCHAR,   -- service of the root operation
    root_operation VARCHAR,   -- the root operation
    requests       BIGINT,    -- requests of the root operation
    path_id        UBIGINT,   -- row of `paths`
    parent_path_id UBIGINT,   -- row of `paths`; 0: root
    depth          INTEGER,   -- steps above; 0: root
    step           VARCHAR,   -- entry or call
    service        VARCHAR,   -- who recorded the step: for a call, downstream
    operation      VARCHAR,   -- operation of the step
    upstream       VARCHAR,   -- for a call: whom it reached; else ''
    calls          BIGINT,    -- how often the step was taken
    critical_ns    BIGINT     -- ns: its exclusive time on the critical path, in all
);

-- Per edge between two operations: what a slower upstream offered and what arrived downstream
-- (docs/methods.md). Per downstream request.
CREATE TABLE propagation (
    recipe               VARCHAR,   -- name of the recipe that wrote the row
    downstream           VARCHAR,   -- who consumes and waits
    downstream_operation VARCHAR,   -- operation that waits
    upstream             VARCHAR,   -- who provides
    upstream_operation   VARCHAR,   -- operation called
    offered_ns           BIGINT,    -- ns: rise of time spent in these calls
    arrived_ns           BIGINT,    -- ns: rise of downstream's latency through them
    arrived_low_ns       BIGINT,    -- ns: lower end of its 95 % interval; null: unknown
    arrived_high_ns      BIGINT,    -- ns: upper end; null: unknown
    ratio                DOUBLE,    -- arrived / offered; null: nothing offered
    verdict              VARCHAR,   -- propagated, amplified, absorbed, within variation, no spike, too few calls
    mechanism            VARCHAR,   -- what absorbed it: parallel slack, async, timeout, hedge; null
    absorbed_ns          BIGINT,    -- ns: offered - arrived where positive
    calls                BIGINT,    -- calls in the incident window
    baseline_calls       BIGINT,    -- calls in the baseline window
    downstream_requests  BIGINT     -- requests of downstream in the window
);

-- Per edge between two operations: what failing calls offered and what failed downstream because of
-- them (docs/methods.md#errors). Shares of downstream requests.
CREATE TABLE errors (
    recipe               VARCHAR, -- name of the recipe that wrote the row
    downstream           VARCHAR, -- who consumes and waits
    downstream_operation VARCHAR, -- operation that waits
    upstream             VARCHAR, -- who provides
    upstream_operation   VARCHAR, -- operation called
    offered_errors       DOUBLE,  -- rise of failed calls per downstream request
    arrived_errors       DOUBLE,  -- rise of the share of requests failed of them
    arrived_low          DOUBLE,  -- lower end of its 95 % interval
    arrived_high         DOUBLE,  -- upper end
    ratio                DOUBLE,  -- arrived / offered; null: nothing offered
    verdict              VARCHAR, -- propagated, amplified, absorbed, no spike, too few calls
    hardness             DOUBLE,  -- how much likelier a request fails when a call does
    hardness_low         DOUBLE,  -- lower end of its 95 % interval
    hardness_high        DOUBLE,  -- upper end; all null: too few failures
    errors               BIGINT,  -- calls that failed, in the incident
    baseline_errors      BIGINT,  -- calls that failed, in the baseline
    calls                BIGINT,  -- calls in the incident window
    baseline_calls       BIGINT,  -- calls in the baseline window
    downstream_requests  BIGINT   -- requests of downstream in the incident
);

-- Where it began: services and edges ranked by the user-visible time they explain.
CREATE TABLE origins (
    recipe          VARCHAR,   -- name of the recipe that wrote the row
    rank            INTEGER,   -- 1 is the likeliest
    service         VARCHAR,   -- the service named; for an edge: its likelier end
    operation       VARCHAR,   -- the operation that moved most; null: several
    cause           VARCHAR,   -- self, wire, calls, error, mix
    edge_downstream VARCHAR,   -- when only one edge rose: its downstream; null
    edge_upstream   VARCHAR,   -- and its upstream; null
    excess_ns       BIGINT,    -- ns: time added per user request, on average
    low_ns          BIGINT,    -- ns: lower end of its 95 % interval; null: unknown
    high_ns         BIGINT,    -- ns: upper end; null: unknown
    share           DOUBLE,    -- share of all explained time, 0-1
    z               DOUBLE,    -- evidence of all its components together (z of log durations)
    confidence      VARCHAR,   -- strong, or weak: a lead, not a finding
    owner           VARCHAR,   -- owner of the service; null: unknown
    evidence        VARCHAR,   -- what moved, in words
    exemplars       VARCHAR[], -- ids of up to three traces that show it
    excess_errors   DOUBLE,    -- share of user requests it made fail, 0-1; null
    flow_ns         BIGINT,    -- ns: what the flow charges it with, per user request; null
    doubt           VARCHAR,   -- why it is weak: uncertain, few calls, not felt; null
    typical_exemplars VARCHAR[] -- ids of traces as it was before; null
);

-- What requests spend their time on: own time of operations, gaps of edges, and upstreams that
-- recorded no spans, by exclusive time on the critical path, most first.
CREATE TABLE bottlenecks (
    recipe              VARCHAR, -- name of the recipe that wrote the row
    rank                INTEGER, -- 1 takes most
    service             VARCHAR, -- whose time; of a network: the upstream end
    operation           VARCHAR, -- its operation; of a network: the one that called
    place               VARCHAR, -- own time, network, or no spans: all that is known of it
    downstream          VARCHAR, -- of a network and without spans: who waits; else ''
    critical_share      DOUBLE,  -- share of the time of all requests, 0-1
    low_share           DOUBLE,  -- lower end of its 95 % interval; null: unknown
    high_share          DOUBLE,  -- upper end; null: unknown
    critical_ns         BIGINT,  -- ns: time on the critical path per request
    saved_per_second_ns BIGINT,  -- ns: saved each second if it took 10 % less
    calls               BIGINT,  -- calls
    hidden_share        DOUBLE,  -- share of calls hidden by a slower sibling, 0-1
    slack_ns            BIGINT   -- ns: how much longer a hidden call could take; null: none
);

-- What depends on each node: how many requests reach it, wait for it, and survive its failures.
CREATE TABLE dependencies (
    recipe        VARCHAR,   -- name of the recipe that wrote the row
    upstream      VARCHAR,   -- who provides
    upstream_kind VARCHAR,   -- service, database, queue, external, faas, genai, unknown
    requests      BIGINT,    -- requests that reached it
    reach         DOUBLE,    -- share of all requests that reached it, 0-1
    waiting       DOUBLE,    -- share of all requests that had to wait for it, 0-1
    entries       VARCHAR[], -- root operations that reach it, most first
    hit           BIGINT,    -- requests in which a failure began at it
    survived      DOUBLE,    -- share of these that succeeded; null: too few
    hardness      DOUBLE,    -- likelier failure of a request hit, 0-1; null: too few
    single_point  VARCHAR    -- yes, no, unknown: do requests die with it
);

-- Per root operation: the share of requests that succeeded, and what its upstreams allow.
CREATE TABLE availability (
    recipe        VARCHAR, -- name of the recipe that wrote the row
    service       VARCHAR, -- service of the root operation
    operation     VARCHAR, -- the root operation
    requests      BIGINT,  -- requests
    measured      DOUBLE,  -- share that succeeded, 0-1
    own           DOUBLE,  -- share not failed by itself, 0-1
    bound         DOUBLE,  -- own times what each upstream lets through, 0-1
    weakest       VARCHAR, -- the upstream that lets least through; '': none fails
    weakest_share DOUBLE   -- share it lets through, 0-1; null: none fails
);

-- Services that call each other in a circle.
CREATE TABLE cycles (
    recipe    VARCHAR,   -- name of the recipe that wrote the row
    services  VARCHAR[], -- downstream first; the last calls the first
    confirmed BOOLEAN,   -- seen within single requests; else only as edges
    calls     BIGINT     -- calls that closed the circle within a request
);

-- Per edge between two operations: what stops a spike there, what makes it worse, and where nothing
-- stops it (docs/methods.md#insulation).
CREATE TABLE insulation (
    recipe               VARCHAR,   -- name of the recipe that wrote the row
    downstream           VARCHAR,   -- who consumes and waits
    downstream_operation VARCHAR,   -- operation that waits
    upstream             VARCHAR,   -- who provides
    upstream_operation   VARCHAR,   -- operation called
    pattern              VARCHAR,   -- timeout, retry, hedge ...; none: nothing was seen
    role                 VARCHAR,   -- protects, hurts, advice or missing
    shows                VARCHAR,   -- what was seen, in words with numbers
    absorbed_ns          BIGINT,    -- ns: kept away per downstream request; null: not told
    rescued              BIGINT,    -- calls or requests that went well by it; null: not told
    occurrences          BIGINT,    -- how often it was seen
    opportunities        BIGINT,    -- how often it could have been; null: not told
    attempts_per_call    DOUBLE,    -- retries and loops: calls made for one; null
    success              DOUBLE,    -- share that went well with it, 0-1; null: not told
    limit_ns             BIGINT,    -- ns: timeout or delay; none: p99 of the wait; null
    saving_ns            BIGINT,    -- ns: advice: at most this per request; null
    share                DOUBLE,    -- missing: share of users' requests through it; null
    other                VARCHAR,   -- upstream called instead, or next; null
    confidence           VARCHAR,   -- strong or weak
    exemplars            VARCHAR[], -- ids of up to three traces that show it
    spans                VARCHAR[]  -- in each of them, the spans that show it
);

-- Percentiles per cell of time of the units a report speaks of.
CREATE TABLE timeline (
    recipe          VARCHAR,   -- name of the recipe that wrote the row
    unit            VARCHAR,   -- server, client, gap or self
    service         VARCHAR,   -- whose operation; for client and gap: upstream
    operation       VARCHAR,   -- the operation; '' for all of them
    downstream      VARCHAR,   -- for client and gap: who waits; else ''
    window_start_ns BIGINT,    -- ns since the epoch: start of the cell
    calls           BIGINT,    -- calls in the cell
    p50_ns          BIGINT,    -- ns: median
    p95_ns          BIGINT,    -- ns: 95th percentile
    p99_ns          BIGINT     -- ns: 99th percentile
);

-- How each edge differs between a window and its baseline (docs/methods.md#drift). Intervals are
-- those of 95 %; null: unknown.
CREATE TABLE drift (
    recipe                       VARCHAR,    -- name of the recipe that wrote the row
    downstream                   VARCHAR,    -- who consumes and waits; user: outside
    upstream                     VARCHAR,    -- who provides
    connection_type              VARCHAR,    -- rpc, messaging, database, external, link
    change                       VARCHAR,    -- what matters most: new, gone, slower, steady, ...
    changes                      VARCHAR[],  -- all that changed, what matters most first
    detail                       VARCHAR,    -- what speaks for it, in words
    instead                      VARCHAR,    -- re-routed: the other upstream; null
    calls                        BIGINT,     -- calls in the window
    baseline_calls               BIGINT,     -- calls in the baseline
    requests                     BIGINT,     -- requests of the operations that call; null: unknown
    baseline_requests            BIGINT,     -- the same in the baseline
    calls_per_request            DOUBLE,     -- calls per such request; null: unknown
    baseline_calls_per_request   DOUBLE,     -- the same in the baseline
    calls_ratio                  DOUBLE,     -- its ratio, each operation weighing the same
    calls_ratio_low              DOUBLE,     -- lower end of its interval
    calls_ratio_high             DOUBLE,     -- upper end
    error_ratio                  DOUBLE,     -- share of calls that failed, as downstream saw it
    baseline_error_ratio         DOUBLE,     -- the same in the baseline
    error_change_low             DOUBLE,     -- lower end of the interval of its change
    error_change_high            DOUBLE,     -- upper end
    p50_ns                       BIGINT,     -- ns: median of what downstream waited (client, else server)
    baseline_p50_ns              BIGINT,     -- ns: the same in the baseline
    p50_ratio                    DOUBLE,     -- their ratio
    p50_ratio_low                DOUBLE,     -- lower end of its interval
    p50_ratio_high               DOUBLE,     -- upper end
    p95_ns                       BIGINT,     -- ns: 95th percentile of the same
    baseline_p95_ns              BIGINT,     -- ns: the same in the baseline
    p95_ratio                    DOUBLE,     -- their ratio
    p95_ratio_low                DOUBLE,     -- lower end of its interval
    p95_ratio_high               DOUBLE,     -- upper end
    p95_speed_ratio              DOUBLE,     -- the part of the ratio that no other mix makes
    p99_ns                       BIGINT,     -- ns: 99th percentile of the same
    baseline_p99_ns              BIGINT,     -- ns: the same in the baseline
    p99_ratio                    DOUBLE,     -- their ratio
    p99_ratio_low                DOUBLE,     -- lower end of its interval
    p99_ratio_high               DOUBLE,     -- upper end
    mean_change_ns               BIGINT,     -- ns: change of the mean; speed + mix
    speed_ns                     BIGINT,     -- ns: the part by slower operations
    mix_ns                       BIGINT,     -- ns: the part by another mix of operations
    evidence                     VARCHAR,    -- rules that made it with counts, in the window
    baseline_evidence            VARCHAR,    -- the same in the baseline
    downstream_versions          VARCHAR,    -- versions of downstream; '': none named
    baseline_downstream_versions VARCHAR,    -- the same in the baseline
    upstream_versions            VARCHAR,    -- versions of upstream; '': none named
    baseline_upstream_versions   VARCHAR,     -- the same in the baseline
    since_service                VARCHAR,    -- whose new version the change began with; null
    since_version                VARCHAR     -- that version; null: with none
);

-- Where users' waiting time goes, and how that changed (docs/methods.md#regressions): time on the
-- critical path per user request. Changes of all rows add up to that of user requests.
CREATE TABLE regressions (
    recipe              VARCHAR,    -- name of the recipe that wrote the row
    rank                INTEGER,    -- 1 cost users most time since the baseline
    cause               VARCHAR,    -- self: own time; wire: on the way to upstream
    service             VARCHAR,    -- whose own time; for wire: upstream
    operation           VARCHAR,    -- its operation
    downstream          VARCHAR,    -- for wire: who waits; else ''
    verdict             VARCHAR,    -- slower, faster, more calls, fewer calls, steady, too few calls
    requests            BIGINT,     -- user requests in the window
    user_ns             BIGINT,     -- ns: time per user request in the window
    baseline_user_ns    BIGINT,     -- ns: the same in the baseline
    change_ns           BIGINT,     -- ns: its change, each entry operation weighing the same
    low_ns              BIGINT,     -- ns: lower end of its 95 % interval; null: unknown
    high_ns             BIGINT,     -- ns: upper end; null: unknown
    slower_ns           BIGINT,     -- ns: the part of the change by slower calls
    calls_ns            BIGINT,     -- ns: the part by more calls
    mix_ns              BIGINT,     -- ns: on top: the part by another mix of user requests
    total_ns            BIGINT,     -- ns: change x requests: what it cost users in all
    share               DOUBLE,     -- share of all time users wait, 0-1
    baseline_share      DOUBLE,     -- the same in the baseline
    share_rank          INTEGER,    -- rank by that share: the bottleneck is 1
    baseline_share_rank INTEGER,    -- the same in the baseline; null: not seen
    owner               VARCHAR,     -- owner of the service; null: unknown
    since_version       VARCHAR     -- slower or faster: new version of the service with which it began; null
);

-- Failed user requests by the service at which the failure began (docs/methods.md#budget).
CREATE TABLE budget (
    recipe                VARCHAR,    -- name of the recipe that wrote the row
    service               VARCHAR,    -- where failures began
    owner                 VARCHAR,    -- owner of the service; null: unknown
    requests              BIGINT,     -- user requests in the window, of all services
    failed                DOUBLE,     -- failed user requests charged to the service
    baseline_requests     BIGINT,     -- user requests in the baseline
    baseline_failed       DOUBLE,     -- the same in the baseline
    budget_share          DOUBLE,     -- part of the error budget used: 1 is all of it
    baseline_budget_share DOUBLE      -- the same in the baseline
);

-- Each edge week by week: seven days a row, the last week last.
CREATE TABLE trend (
    recipe        VARCHAR,    -- name of the recipe that wrote the row
    week_start_ns BIGINT,     -- ns since the epoch: start of the seven days
    downstream    VARCHAR,    -- who consumes and waits; user: outside
    upstream      VARCHAR,    -- who provides
    calls         BIGINT,     -- calls in the week
    error_ratio   DOUBLE,     -- share of calls that failed
    p50_ns        BIGINT,     -- ns: median of what downstream waited; null: unknown
    p95_ns        BIGINT,     -- ns: 95th percentile of the same
    p99_ns        BIGINT,     -- ns: 99th percentile of the same
    days          DOUBLE,     -- days of the seven that hold data; fewer: a partial week
    calls_per_day DOUBLE      -- calls / days: what weeks are compared by
);

-- Dependencies that the catalog declares against those observed, service by service
-- (docs/methods.md#declarations). Not observed is not gone.
CREATE TABLE declarations (
    recipe     VARCHAR, -- name of the recipe that wrote the row
    downstream VARCHAR, -- service that calls, or should
    upstream   VARCHAR, -- service called; an API that nobody provides
    status     VARCHAR, -- as declared, not observed, not declared, provider unknown
    says       VARCHAR, -- what declares it: dependsOn, consumesApis API; '': nothing
    calls      BIGINT,  -- calls observed
    last_ns    BIGINT,  -- ns since the epoch: last of them; null: none
    reason     VARCHAR, -- not observed: what of both ends was; else ''
    owner      VARCHAR  -- owner of downstream; null: unknown
);

-- == Views for people ==

-- The node of the graph that each resource belongs to. It is the service's name, unless that name
-- occurs in several namespaces or environments: then what differs is added, `cart (staging)` or
-- `cart (shop/staging)`. A resource that does not say counts as no further place: if just one
-- environment is named for `cart`, resources of `cart` without any belong to it.
CREATE VIEW services (
    resource_id, -- row of `resources`
    service      -- name of the node
) AS
WITH named AS (
    SELECT
        service_name,
        count(DISTINCT nullif(service_namespace, '')) > 1 AS namespaces_differ,
        count(DISTINCT nullif(environment, '')) > 1 AS environments_differ
    FROM resources
    GROUP BY service_name
), placed AS (
    SELECT
        resource_id,
        service_name,
        CASE
            WHEN namespaces_differ AND environments_differ
                THEN nullif(concat_ws('/', coalesce(nullif(service_namespace, ''), '-'),
                                           coalesce(nullif(environment, ''), '-')), '-/-')
            WHEN namespaces_differ THEN nullif(service_namespace, '')
            WHEN environments_differ THEN nullif(environment, '')
        END AS place
    FROM resources
    JOIN named USING (service_name)
)
SELECT resource_id, service_name || coalesce(' (' || place || ')', '') FROM placed;

-- The name of the node that each operation calls. It is what the spans call it, unless databases of
-- that name are on several servers, or queues of that name in several systems: then what differs is
-- added, `postgresql orders (db-2:5432)`. An operation that does not say counts as no further place.
-- A call that names nothing but its RPC service goes to the service that answers this RPC service, if
-- just one does: so a call that nobody answered is not one to somebody else.
CREATE VIEW peers (
    operation_id, -- row of `operations`
    peer          -- name of the node; ''
) AS
WITH named AS (
    SELECT peer_kind, peer_name, count(DISTINCT nullif(peer_place, '')) > 1 AS places_differ
    FROM operations
    GROUP BY peer_kind, peer_name
), answering AS (
    SELECT rpc_service, min(service) AS service
    FROM rpc_services
    JOIN services USING (resource_id)
    GROUP BY rpc_service
    HAVING count(DISTINCT service) = 1
)
SELECT
    operation_id,
    coalesce(answering.service, peer_name || CASE
        WHEN places_differ AND peer_place <> '' THEN ' (' || peer_place || ')' ELSE ''
    END)
FROM operations
JOIN named USING (peer_kind, peer_name)
LEFT JOIN answering
    ON (
        protocol IN ('grpc', 'rpc')
        AND peer_kind = 'external'
        AND peer_name = rpc_service
        AND starts_with(operation, rpc_service || '/')
    );

-- Spans for people: ids as hex, codes as words, the span's operation and resource beside it.
CREATE VIEW spans (
    trace_id,             -- 32 hex digits
    span_id,              -- 16 hex digits
    parent_span_id,       -- 16 hex digits; null: none
    service,              -- node of the graph, as in `services`
    service_name,         -- `service.name` or the inferred name
    service_namespace,    -- `service.namespace`; ''
    service_version,      -- `service.version`; ''
    environment,          -- `deployment.environment.name`; ''
    instance,             -- instance id, else pod name, else host; ''
    operation,            -- low-cardinality operation name
    name,                 -- span name as recorded
    kind,                 -- UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER
    status_code,          -- UNSET, OK, ERROR
    start_time,           -- timestamp, UTC
    start_time_unix_nano, -- ns since the epoch: the same as an integer
    duration_ns,          -- ns: end - start as recorded; null: no end
    protocol,             -- http, grpc, rpc, database, messaging, faas, ...; ''
    peer_kind,            -- service, database, queue, external, faas, genai; '': not said
    peer_name,            -- whom the span says it talks to, as in `peers`; ''
    http_status,          -- HTTP response status; null: none
    error_type,           -- class of the error; null: none given
    resend_count,         -- ordinal of a resend; 0: first attempt or unknown
    weight,               -- spans this one stands for (sampling); 1: unknown
    quality,              -- bits of `Quality`
    attributes,           -- span attributes as one JSON object; null: none
    resource_attributes,  -- resource attributes as one JSON object
    file                  -- path of the file it was read from, as given
) AS
SELECT
    format('{:016x}{:016x}', trace_high, trace_low),
    format('{:016x}', span_id),
    CASE WHEN parent_id <> 0 THEN format('{:016x}', parent_id) END,
    service,
    service_name,
    service_namespace,
    service_version,
    environment,
    instance,
    operation,
    name,
    CASE kind
        WHEN 1 THEN 'INTERNAL'
        WHEN 2 THEN 'SERVER'
        WHEN 3 THEN 'CLIENT'
        WHEN 4 THEN 'PRODUCER'
        WHEN 5 THEN 'CONSUMER'
        ELSE 'UNSPECIFIED'
    END,
    CASE status_code WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' ELSE 'UNSET' END,
    make_timestamp_ns(start_ns),
    start_ns,
    duration_ns,
    protocol,
    peer_kind,
    peer,
    http_status,
    error_type,
    resend_count,
    weight,
    stored_spans.quality,
    stored_spans.attributes,
    resources.attributes,
    path
FROM stored_spans
LEFT JOIN operations USING (operation_id)
LEFT JOIN peers USING (operation_id)
LEFT JOIN resources USING (resource_id)
LEFT JOIN services USING (resource_id)
LEFT JOIN files USING (file_id);

-- Traces for people: one row per trace.
CREATE VIEW traces (
    trace_id,             -- 32 hex digits
    start_time,           -- timestamp, UTC: start of its earliest span
    start_time_unix_nano, -- ns since the epoch: the same as an integer
    spans                 -- spans stored
) AS
SELECT
    format('{:016x}{:016x}', trace_high, trace_low),
    make_timestamp_ns(min(first_ns)),
    min(first_ns),
    sum(spans)::BIGINT
FROM trace_parts
GROUP BY trace_high, trace_low;
