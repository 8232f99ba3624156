"""Terms of findings about one window that is compared with nothing."""

from __future__ import annotations

from tracemap.report.terms.definition import Definition

TERMS = (
    Definition(
        "bottleneck-place",
        "Bottleneck place",
        "Whose time it is: an operation's own time; the network of an edge (what downstream waited "
        "minus what upstream took); or an upstream without spans, of which only the call is known.",
    ),
    Definition(
        "critical-share",
        "Critical share",
        "Exclusive time on the critical path of requests, as a share of the time of all requests. "
        "The shares of all places add up to 1.",
        formula="share = sum of critical ns there / sum of the durations of all requests",
        example="Of 200 ms a request takes, 120 ms are spent in a database that runs beside "
        "something faster: its share is 60 %, the faster one's is 0.",
        limits="What could be won there at most; once it is faster, something else is critical.",
    ),
    Definition(
        "potential-impact",
        "Potential impact",
        "Time saved in each second of traffic if this place took 10 % less.",
        formula="0.1 x critical ns there / seconds of the window",
        example="50 requests a second with 120 ms each there: 0.1 x 50 x 120 ms = 600 ms saved "
        "each second.",
        limits="Holds for small gains. `tracemap whatif` replays larger ones.",
    ),
    Definition(
        "slack",
        "Slack",
        "How much longer a call could take before anybody waited for it: of calls that were hidden "
        "behind a slower sibling, the time from their end to the end of the sibling that is next "
        "to end.",
        formula="mean over hidden calls of (end of the next sibling on the path - own end)",
        example="A call ends at 30 ms, the sibling that is waited for at 110 ms: slack 80 ms.",
        limits="Calls that nobody waits for at all have none. Little slack and many calls is "
        "fragile.",
    ),
    Definition(
        "reach",
        "Reach",
        "Share of all requests that called a node at least once, directly or through others; and "
        "share that had it on their critical path.",
        formula="requests that reached it / all requests",
        example="3,000 of 10,000 requests touched a cache, 200 waited for it: 30 % and 2 %.",
        limits="Observed: a dependency that no request used in the window has no reach.",
    ),
    Definition(
        "hardness",
        "Hardness",
        "How much likelier a request fails when a failure begins at this node. 1: every request "
        "dies with it; 0: none does. A failure begins at the deepest failed step.",
        formula="P(request failed | a failure began there) - P(request failed | none did)",
        example="40 requests in which it failed, 30 of them failed; of the others 5 %: "
        "0.75 - 0.05 = 0.7.",
        limits="Unknown with fewer than 20 such requests. Slowness that becomes a failure "
        "elsewhere (a timeout) counts where the failed span is.",
    ),
    Definition(
        "single-point",
        "Single point",
        "Whether requests die with a node: yes where at most 20 % of the requests in which it "
        "failed succeeded.",
        limits="Unknown with fewer than 20 such requests. Replicas behind one name are one node "
        "here: a yes says that nothing downstream helps, not that there is one machine.",
    ),
    Definition(
        "availability-bound",
        "Availability bound",
        "What share of requests must fail because of upstreams, if failures of different upstreams "
        "have nothing to do with each other; beside what did fail.",
        formula="bound = own x product over upstreams of (1 - requests failed by it / requests)",
        example="Of 1,000 requests 2 fail by themselves, 10 with the database, 5 with the payment "
        "provider: 0.998 x 0.99 x 0.995 = 0.9831, so 1.69 % are expected to fail.",
        limits="Each upstream counts once, where failures began. Failures that come together, or "
        "that keep later calls from being made, make the two differ.",
    ),
    Definition(
        "calls-per-minute",
        "Calls per minute",
        "Calls of an edge divided by the minutes in which any calls were observed, beside the same "
        "in the baseline.",
        formula="told where the counts differ by 3 standard deviations and 1.25 times; an edge is "
        "new or silent from 2 standard deviations on",
        limits="More calls per minute can be more users or more calls per request; the leaf "
        "'calls' of the flow holds only the second.",
    ),
    Definition(
        "exemplar-traces",
        "Exemplar traces",
        "Ids of a few recorded traces that show the finding, to open in a tracing tool or with "
        "`tracemap trace`: for an origin those in which what moved there took most time, beside "
        "some of the baseline near its median; for an edge its slowest and a typical one.",
        limits="Looked for in one cell of time each, the one that holds the slowest call. Where "
        "spans were pruned there are none.",
    ),
    Definition(
        "owner",
        "Owner",
        "The team that owns a service, where the spans or the recipe say so. The interface owner "
        "is upstream's team, the experience owner downstream's.",
        limits="Unknown owners are said to be unknown; none is guessed.",
    ),
)
