"""What a catalog holds: entities with owners, patterns with owners, declared dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Declaration:
    """What an entity says about another: ``dependsOn``, ``providesApis`` or ``consumesApis``."""

    entity: str
    says: str
    other: str


@dataclass(frozen=True)
class Entity:
    """One Component, API, Resource or System.

    Attributes:
        kind: As the file says.
        name: ``metadata.name``.
        owner: Name of the owner, without kind and namespace; '' where none is named.
        system: Name of its system; ''.
        service: Name of the service in the traces, where it is another than `name`; ''.
        where: File and number of the document.
    """

    kind: str
    name: str
    owner: str = ""
    system: str = ""
    service: str = ""
    where: str = ""


@dataclass(frozen=True, order=True)
class Dependency:
    """That one service is declared to call another.

    Attributes:
        downstream: Service that calls, as the traces call it.
        upstream: Service called; where nobody provides the API it consumes, the API.
        says: The relation that says so, with the API if it is one.
        is_known: Whether the upstream is known: false for an API that nobody provides.
    """

    downstream: str
    upstream: str
    says: str
    is_known: bool = True


@dataclass
class Catalog:
    """All entities and patterns that were read.

    Attributes:
        entities: In the order of files and documents.
        patterns: Patterns of service names with their owner; the last one that fits wins.
        declarations: What entities say about each other.
    """

    entities: list[Entity] = field(default_factory=list)
    patterns: list[tuple[str, str]] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)

    def owners(self, nodes: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the owner of each node of the graph that has one here.

        A node is looked up by its own name, then by the name of its service (`cart (staging)` is
        `cart`): a Component or Resource of that name or with that ``tracemap/service`` annotation,
        else its System's owner, else the last pattern that fits. Letter case counts.

        Args:
            nodes: Name of each node, and ``service.name`` of its service.
        """
        by_name = dict(self._owned())
        found = {}
        for node, service in nodes:
            owner = by_name.get(node) or by_name.get(service) or self._fitting(node, service)
            if owner:
                found[node] = owner
        return found

    def dependencies(self) -> list[Dependency]:
        """Return who is declared to call whom, sorted: ``dependsOn``, and ``consumesApis``.

        An API stands for the Components that provide it. What a System depends on, or is depended
        on as, is no call of a service.
        """
        entities = {entity.name: entity for entity in self.entities if entity.kind != "API"}
        apis = {entity.name for entity in self.entities if entity.kind == "API"}
        providers: dict[str, list[str]] = {}
        for each in self.declarations:
            if each.says == "providesApis":
                providers.setdefault(each.other, []).append(_called(entities, each.entity))
        found = []
        for each in self.declarations:
            ends = [entities.get(name) for name in (each.entity, each.other)]
            if each.says == "providesApis" or any(end and end.kind == "System" for end in ends):
                continue
            downstream, says = _called(entities, each.entity), each.says
            if says == "consumesApis" or (each.other in apis and each.other not in entities):
                says = f"{says} {each.other}"
                known = providers.get(each.other, [])
                found += [Dependency(downstream, name, says) for name in known]
                if not known:
                    found.append(Dependency(downstream, each.other, says, is_known=False))
            else:
                found.append(Dependency(downstream, _called(entities, each.other), says))
        return sorted({each for each in found if each.downstream != each.upstream})

    def _owned(self) -> Iterator[tuple[str, str]]:
        """Yield names with their owners; APIs have consumers, but are no services."""
        systems = {entity.name: entity.owner for entity in self.entities if entity.kind == "System"}
        for entity in self.entities:
            owner = entity.owner or systems.get(entity.system, "")
            if entity.kind in {"Component", "Resource"} and owner:
                yield entity.service or entity.name, owner

    def _fitting(self, *names: str) -> str:
        for pattern, owner in reversed(self.patterns):
            if any(fnmatchcase(name, pattern) for name in names):
                return owner
        return ""


def _called(entities: Mapping[str, Entity], name: str) -> str:
    """Return how the traces call an entity; one that is not in the catalog by its own name."""
    entity = entities.get(name)
    return (entity.service or entity.name) if entity else name
