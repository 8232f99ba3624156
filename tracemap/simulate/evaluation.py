"""Play the requests of one entry: walk its call tree once, all requests at a time.

A place in the tree holds numpy arrays over the requests that reach it. Calls of a stage start
together, the stage ends with the slowest, stages follow each other. What is random comes from
`Draws` by the name of the place, so two evaluations that differ in their faults differ in nothing
else. Times are ns from the start of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracemap.model import Kind
from tracemap.simulate.blueprint import Call, Operation, OperationKey, Shop, Stage
from tracemap.simulate.draws import MICROSECOND_NS, Draws, Integers, Mask, scaled
from tracemap.simulate.fault import Fault, Place, Quantity
from tracemap.simulate.places import Block, Execution, Sort, SpanNode, stage_ns

GAP_SIGMA = 0.5
LAG_SIGMA = 0.6
BETWEEN_NS = 20_000
"""A loop's own time between two calls."""


@dataclass
class _Caller:
    """Where a call is made from."""

    path: str
    key: OperationKey
    trace: str
    node: int
    rows: Integers
    replica: Integers


class Evaluation:
    """The requests of one entry, played.

    Args:
        shop: The system.
        draws: Random streams, as long as there are requests.
        arrivals_ns: When each request arrives.
        faults: What goes wrong.

    Attributes:
        nodes: Spans by place, parents before children.
        executions: By path, in the order in which they were first reached.
    """

    def __init__(
        self, shop: Shop, draws: Draws, arrivals_ns: Integers, faults: Sequence[Fault]
    ) -> None:
        self.nodes: list[SpanNode] = []
        self.executions: dict[str, Execution] = {}
        self._shop = shop
        self._draws = draws
        self._arrivals_ns = arrivals_ns
        self._faults = faults

    def play(self, entry: OperationKey) -> Execution:
        """Play all requests of `entry` and what they publish."""
        rows = np.arange(len(self._arrivals_ns))
        operation = self._shop.operations[entry]
        path = str(entry)
        return self._serve(
            path, operation, kind=Kind.SERVER, trace=path, parent=-1, linked=-1,
            rows=rows, start_ns=self._arrivals_ns,
        )  # fmt: skip

    def active(self, fault: Fault, rows: Integers) -> Mask:
        """Return which of these requests arrive while the fault lasts."""
        return fault.active(self._arrivals_ns[rows])

    def _serve(
        self,
        path: str,
        operation: Operation,
        *,
        kind: Kind,
        trace: str,
        parent: int,
        linked: int,
        rows: Integers,
        start_ns: Integers,
    ) -> Execution:
        service = self._shop.services[operation.service]
        replica = self._draws.choice(f"{path}/replica", service.replicas, rows)
        place = Place("", "", *operation.key)
        own_ns = self._own_ns(path, operation, place, rows, replica)
        node = SpanNode(
            path=path, sort=Sort(kind, operation.service, operation.key), trace=trace,
            parent=parent, linked=linked, rows=rows, start_ns=start_ns, duration_ns=own_ns,
            error=np.zeros(len(rows), dtype=np.bool_), replica=replica,
        )  # fmt: skip
        index = parent
        if service.kind == "service":
            index = len(self.nodes)
            self.nodes.append(node)
        execution = Execution(path, operation.key, rows, own_ns, own_ns, node.error)
        self.executions[path] = execution
        caller = _Caller(path, operation.key, trace, index, rows, replica)
        execution.duration_ns = self._stages(operation, execution, caller, start_ns)
        ratio = self._quantity(
            Quantity.ERROR_RATIO, place, round(operation.error_ratio * 1_000_000), rows
        )
        execution.error |= self._draws.uniform(f"{path}/error", rows) < ratio
        node.duration_ns, node.error = execution.duration_ns, execution.error
        return execution

    def _own_ns(
        self, path: str, operation: Operation, place: Place, rows: Integers, replica: Integers
    ) -> Integers:
        median_ns = self._quantity(
            Quantity.OWN_NS, place, round(operation.own_ms * 1_000_000), rows, replica
        )
        return scaled(median_ns, self._draws.log_normal(f"{path}/own", operation.sigma, rows))

    def _stages(
        self, operation: Operation, execution: Execution, caller: _Caller, start_ns: Integers
    ) -> Integers:
        pieces = len(operation.stages) + 1
        piece_ns = execution.own_ns // (pieces * MICROSECOND_NS) * MICROSECOND_NS
        cursor_ns = start_ns + piece_ns
        for number, stage in enumerate(operation.stages):
            alive = np.flatnonzero(~execution.error)
            blocks = self._stage(stage, number, caller, alive, cursor_ns)
            execution.stages.append(blocks)
            cursor_ns = cursor_ns + stage_ns(blocks) + piece_ns
            for block in blocks:
                if not block.call.optional:
                    execution.error |= block.failed
        return cursor_ns - start_ns + execution.own_ns - piece_ns * pieces

    def _stage(
        self, stage: Stage, number: int, caller: _Caller, alive: Integers, cursor_ns: Integers
    ) -> list[Block]:
        """Return the blocks of a stage; `alive` are the executions that get this far."""
        inside = _Caller(
            caller.path, caller.key, caller.trace, caller.node,
            caller.rows[alive], caller.replica[alive],
        )  # fmt: skip
        if stage.span:
            inside.node = len(self.nodes)
            self.nodes.append(self._internal(stage, number, caller.node, inside, cursor_ns[alive]))
        blocks = []
        for index, call in enumerate(stage.calls):
            path = f"{caller.path}/{number}.{index}"
            part = self._call(call, path, inside, cursor_ns[alive])
            blocks.append(part.spread(alive, len(caller.rows)))
        if stage.span:
            self.nodes[inside.node].duration_ns = stage_ns(blocks)[alive]
        return blocks

    def _internal(
        self, stage: Stage, number: int, parent: int, caller: _Caller, start_ns: Integers
    ) -> SpanNode:
        service = caller.key.service
        return SpanNode(
            path=f"{caller.path}/{number}",
            sort=Sort(Kind.INTERNAL, service, OperationKey(service, stage.span)),
            trace=caller.trace, parent=parent, linked=-1, rows=caller.rows, start_ns=start_ns,
            duration_ns=np.zeros_like(start_ns), error=np.zeros(len(start_ns), dtype=np.bool_),
            replica=caller.replica,
        )  # fmt: skip

    def _call(self, call: Call, path: str, caller: _Caller, start_ns: Integers) -> Block:
        place = Place(*caller.key, *call.key)
        block = Block.of(call, len(caller.rows))
        share = self._quantity(
            Quantity.PROBABILITY, place, round(call.probability * 1_000_000), caller.rows
        )
        made = np.flatnonzero(self._draws.uniform(f"{path}/made", caller.rows) < share)
        times = self._quantity(Quantity.TIMES, place, call.times, caller.rows[made])
        for turn in range(times.max(initial=0)):
            chosen = made[times > turn]
            at_ns = start_ns[chosen] + block.length_ns[chosen] + (BETWEEN_NS if turn else 0)
            node = self._attempt(
                call, f"{path}#{turn}", caller=caller, chosen=chosen, start_ns=at_ns
            )
            block.length_ns[chosen] = at_ns + node.duration_ns - start_ns[chosen]
            block.waited_ns[chosen] += node.duration_ns
            block.calls[chosen] += 1
            block.failed[chosen] |= node.error
        return block

    def _attempt(
        self, call: Call, path: str, *, caller: _Caller, chosen: Integers, start_ns: Integers
    ) -> SpanNode:
        """Make one call: the client's span, the way there and back, and what upstream does."""
        rows = caller.rows[chosen]
        place = Place(*caller.key, *call.key)
        upstream = self._shop.services[call.upstream]
        kind = Kind.PRODUCER if upstream.kind == "queue" else Kind.CLIENT
        gap_ns = scaled(
            self._quantity(Quantity.GAP_NS, place, round(call.gap_ms * 1_000_000), rows),
            self._draws.log_normal(f"{path}/gap", GAP_SIGMA, rows),
        )
        there = 300_000 + self._draws.uniform(f"{path}/way", rows) * 4 // 10
        node = SpanNode(
            path=path, sort=Sort(kind, caller.key.service, call.key), trace=caller.trace,
            parent=caller.node, linked=-1, rows=rows, start_ns=start_ns, duration_ns=gap_ns,
            error=np.zeros(len(rows), dtype=np.bool_), replica=caller.replica[chosen],
        )  # fmt: skip
        index = len(self.nodes)
        self.nodes.append(node)
        served = self._serve(
            f"{path}>", self._shop.operations[call.key], kind=Kind.SERVER, trace=caller.trace,
            parent=index, linked=-1, rows=rows, start_ns=start_ns + scaled(gap_ns, there),
        )  # fmt: skip
        node.duration_ns = served.duration_ns + gap_ns
        node.error = served.error
        if kind is Kind.PRODUCER:
            self._publish(call.key, path, index)
        return node

    def _publish(self, send: OperationKey, path: str, index: int) -> None:
        """Play the consumers of what was sent, each message a trace of its own."""
        sender = self.nodes[index]
        sent = np.flatnonzero(~sender.error)
        for subscription in self._shop.subscriptions:
            if subscription.send != send:
                continue
            own = f"{path}>{subscription.process}"
            rows = sender.rows[sent]
            lag = self._draws.log_normal(f"{own}/lag", LAG_SIGMA, rows)
            start_ns = sender.start_ns[sent] + sender.duration_ns[sent]
            start_ns += scaled(np.full_like(lag, round(subscription.lag_ms * 1_000_000)), lag)
            operation = self._shop.operations[subscription.process]
            self._serve(
                own, operation, kind=Kind.CONSUMER, trace=own, parent=-1, linked=index,
                rows=rows, start_ns=start_ns,
            )  # fmt: skip

    def _quantity(
        self,
        quantity: Quantity,
        place: Place,
        value: int,
        rows: Integers,
        replica: Integers | None = None,
    ) -> Integers:
        values = np.full(len(rows), value, dtype=np.int64)
        for fault in self._faults:
            if fault.quantity is quantity and fault.touches(place):
                struck = self.active(fault, rows)
                if replica is not None:
                    struck &= fault.chosen(replica)
                values = np.where(struck, fault.changed(values), values)
        return values
