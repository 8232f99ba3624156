"""Read catalog files: Backstage's ``catalog-info.yaml``, and lists of owners. Nothing is run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tracemap.catalog.entities import Catalog, Declaration, Entity
from tracemap.errors import InputError

MOST_BYTES = 4_000_000
"""No catalog file is larger; one that is, is none."""
MOST_FILES = 20_000
_NAMES = ("catalog-info.yaml", "catalog-info.yml")
_KINDS = ("Component", "API", "Resource", "System")
_RELATIONS = ("dependsOn", "providesApis", "consumesApis")
_ANNOTATION = "tracemap/service"
_HINT = "see docs/owners.md for both forms"


def load(paths: Sequence[str | Path]) -> Catalog:
    """Return everything the files say.

    Args:
        paths: Files; or folders, in which every ``catalog-info.yaml`` is read, at any depth.
            A file is either Backstage's entities (several documents), or a mapping of service
            names, or patterns with ``*`` and ``?``, to owners, at the top or below ``owners``.

    Raises:
        InputError: If one is missing, too large, no YAML, or says nothing of either form.
    """
    catalog = Catalog()
    for path in _files([Path(path) for path in paths]):
        _read(path, catalog)
    return catalog


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files meant, folders in order of names; links out of a folder are not followed."""
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112  (Path.is_dir raises where it may not look)
            yield path
            continue
        found = sorted(each for each in path.rglob("catalog-info.y*ml") if each.name in _NAMES)
        if not found:
            raise InputError(f"there is no {_NAMES[0]} in '{path}'", where=str(path), hint=_HINT)
        if len(found) > MOST_FILES:
            raise InputError(
                f"there are {len(found):,} catalog files in '{path}', more than {MOST_FILES:,}",
                where=str(path),
                hint="name a folder further down",
            )
        yield from found


def _read(path: Path, catalog: Catalog) -> None:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(
                f"'{path}' is no catalog: it has {size:,} bytes", where=str(path), hint=_HINT
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the catalog cannot be read: {error.strerror}", where=str(path), hint=_HINT
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("the catalog is not UTF-8 text", where=str(path), hint=_HINT) from error
    for number, document in enumerate(_documents(text, path), start=1):
        if document is not None:
            _take(document, f"{path}, document {number}", catalog)


def _documents(text: str, path: Path) -> list[Any]:
    """Return the documents of a file, as plain values: no tags, no aliases."""
    try:
        return list(yaml.load_all(text, Loader=_PlainLoader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        what = getattr(error, "problem", None) or "it is nested too deeply"
        raise InputError(
            f"the catalog is no valid YAML: {what}", where=f"{path}{line}", hint=_HINT
        ) from error


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            what = f"{str(node.value)[:80]!r} looks like a date or a number, but is none"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from error


def _take(document: Any, where: str, catalog: Catalog) -> None:  # noqa: ANN401
    """Add one document to the catalog.

    Raises:
        InputError: If it has neither form.
    """
    if not isinstance(document, dict):
        raise InputError(
            f"a catalog holds entities or owners by service, not a {type(document).__name__}",
            where=where,
            hint=_HINT,
        )
    if "kind" in document or "apiVersion" in document:
        _take_entity(document, where, catalog)
        return
    owners = document.get("owners", document)
    if not isinstance(owners, dict) or not owners:
        raise InputError("'owners' holds no owners by service", where=where, hint=_HINT)
    for pattern, owner in owners.items():
        if not isinstance(pattern, str) or not isinstance(owner, str) or not owner.strip():
            raise InputError(
                f"the owner of {str(pattern)[:80]!r} is no name", where=where, hint=_HINT
            )
        catalog.patterns.append((pattern, _name_of(owner)))


def _take_entity(document: dict[Any, Any], where: str, catalog: Catalog) -> None:
    """Add an entity of Backstage; those of other kinds (User, Group, Location) are passed over."""
    kind = document.get("kind")
    if kind not in _KINDS:
        return
    metadata, spec = (_mapping(document.get(key)) for key in ("metadata", "spec"))
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"the {kind} has no metadata.name", where=where, hint=_HINT)
    service = _mapping(metadata.get("annotations")).get(_ANNOTATION, "")
    catalog.entities.append(
        Entity(
            kind=str(kind),
            name=name,
            owner=_name_of(spec.get("owner")),
            system=_name_of(spec.get("system")),
            service=service if isinstance(service, str) else "",
            where=where,
        )
    )
    for says in _RELATIONS:
        others = spec.get(says)
        for other in others if isinstance(others, list) else []:
            if isinstance(other, str):
                catalog.declarations.append(Declaration(name, says, _name_of(other)))


def _mapping(value: Any) -> dict[Any, Any]:  # noqa: ANN401
    return value if isinstance(value, dict) else {}


def _name_of(reference: Any) -> str:  # noqa: ANN401
    """Return the name in an entity reference ``[kind:][namespace/]name``; '' for none."""
    if not isinstance(reference, str):
        return ""
    return reference.strip().rpartition(":")[2].rpartition("/")[2]
