"""Catalogs that people keep, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracemap.catalog import Declaration, load
from tracemap.errors import InputError

BACKSTAGE = """\
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: group:default/team-shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec:
  owner: team-web
  system: shop
  dependsOn: ["resource:default/cart-store", component:pricing]
  providesApis: [cart-api]
  consumesApis: [pricing-api]
---
kind: Component
metadata:
  name: product-catalog
  annotations: {tracemap/service: catalog}
spec: {system: shop}
---
kind: Location
metadata: {name: elsewhere}
---
kind: API
metadata: {name: cart-api}
spec: {owner: team-api}
"""


def written(folder: Path, text: str | bytes, name: str = "catalog-info.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_entities_give_owners_and_dependencies(tmp_path: Path) -> None:
    """Several documents a file; other kinds are passed over."""
    catalog = load([written(tmp_path, BACKSTAGE)])

    assert [entity.name for entity in catalog.entities] == [
        "shop", "cart", "product-catalog", "cart-api",
    ]  # fmt: skip
    assert catalog.declarations == [
        Declaration("cart", "dependsOn", "cart-store"),
        Declaration("cart", "dependsOn", "pricing"),
        Declaration("cart", "providesApis", "cart-api"),
        Declaration("cart", "consumesApis", "pricing-api"),
    ]


def test_an_api_stands_for_those_who_provide_it(tmp_path: Path) -> None:
    """Two do, one API has nobody; what a System is part of is no call."""
    text = """
kind: Component
metadata: {name: shop-cart, annotations: {tracemap/service: cart}}
spec: {consumesApis: [prices, taxes], dependsOn: [pricing, "api:prices", system-x, shop-cart]}
---
kind: Component
metadata: {name: pricing}
spec: {providesApis: [prices]}
---
kind: Component
metadata: {name: pricing-next, annotations: {tracemap/service: pricing2}}
spec: {providesApis: [prices]}
---
kind: API
metadata: {name: prices}
---
kind: System
metadata: {name: system-x}
spec: {dependsOn: [pricing]}
"""
    found = load([written(tmp_path, text)]).dependencies()

    assert [(each.upstream, each.says, each.is_known) for each in found] == [
        ("pricing", "consumesApis prices", True),
        ("pricing", "dependsOn", True),
        ("pricing", "dependsOn prices", True),
        ("pricing2", "consumesApis prices", True),
        ("pricing2", "dependsOn prices", True),
        ("taxes", "consumesApis taxes", False),
    ]
    assert {each.downstream for each in found} == {"cart"}


def test_owners_are_found_by_name_annotation_and_system(tmp_path: Path) -> None:
    """An API's owner is nobody's of a service; who is not named has no owner."""
    catalog = load([written(tmp_path, BACKSTAGE)])
    nodes = [(name, name) for name in ("cart", "catalog", "cart-api", "pricing")]

    assert catalog.owners(nodes) == {"cart": "team-web", "catalog": "team-shop"}


def test_a_service_of_several_environments_has_one_owner(tmp_path: Path) -> None:
    """`cart (staging)` is the service `cart`."""
    catalog = load([written(tmp_path, BACKSTAGE)])

    assert catalog.owners([("cart (staging)", "cart")]) == {"cart (staging)": "team-web"}


def test_the_last_pattern_that_fits_wins(tmp_path: Path) -> None:
    """As in CODEOWNERS; with and without the key `owners`."""
    lines = '"*": platform\n"payment-*": team-pay\npayment-old: team-legacy\n'
    nested = "owners:\n" + "".join(f"  {line}\n" for line in lines.splitlines())
    nodes = [(name, name) for name in ("web", "payment-card", "payment-old")]
    wanted = {"web": "platform", "payment-card": "team-pay", "payment-old": "team-legacy"}

    assert load([written(tmp_path, lines, "a.yaml")]).owners(nodes) == wanted
    assert load([written(tmp_path, nested, "b.yaml")]).owners(nodes) == wanted


def test_a_folder_is_read_at_any_depth(tmp_path: Path) -> None:
    """Only files named as Backstage does."""
    written(tmp_path, BACKSTAGE, "a/b/catalog-info.yaml")
    written(tmp_path, "kind: Component\nmetadata: {name: x}\n", "c/catalog-info.yml")
    written(tmp_path, "no: [catalog", "c/values.yaml")

    assert len(load([tmp_path]).entities) == 5


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("kind: [Component", "no valid YAML"),
        ("- a\n- b\n", "not a list"),
        ("just text", "not a str"),
        ("kind: Component\nspec: {owner: me}\n", "has no metadata.name"),
        ("kind: Component\nmetadata: cart\n", "has no metadata.name"),
        ("owners: [me]\n", "holds no owners by service"),
        ("cart: [team-a, team-b]\n", "the owner of 'cart' is no name"),
        ("3: team\n", "the owner of '3' is no name"),
        ("a: &x {k: v}\nb: *x\n", "aliases are not read"),
        ("cart: !!python/object/apply:os.system ['true']\n", "no valid YAML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("cart: \x01team\n", "no valid YAML"),
        ("[" * 5_000, "no valid YAML"),
        ("cart: me\n2001-99-99: me\n", "'2001-99-99' looks like a date or a number, but is none"),
    ],
)
def test_what_is_no_catalog_is_an_error_with_its_place(
    tmp_path: Path, text: str | bytes, what: str
) -> None:
    """Nothing is run, nothing explodes, and the message says where."""
    path = written(tmp_path, text)

    with pytest.raises(InputError, match=what) as raised:
        load([path])
    assert str(path) in raised.value.where


def test_a_date_that_is_none_is_an_error_with_its_line(tmp_path: Path) -> None:
    """YAML takes it for a date where nobody meant one."""
    with pytest.raises(InputError) as raised:
        load([written(tmp_path, "cart: me\nstock: 2001-99-99\n")])

    assert raised.value.where.endswith(", line 2")


def test_a_giant_is_no_catalog(tmp_path: Path) -> None:
    """It is not even read."""
    with pytest.raises(InputError, match="it has 4,000,001 bytes"):
        load([written(tmp_path, "#" * 4_000_001)])


def test_missing_and_empty_places_are_errors(tmp_path: Path) -> None:
    """A path that says nothing was meant to say something."""
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load([tmp_path / "none.yaml"])
    with pytest.raises(InputError, match=r"there is no catalog-info\.yaml"):
        load([tmp_path])


@pytest.mark.parametrize(
    "spec",
    ["spec: 3", "spec: {owner: [a]}", "spec: {owner: {a: b}}", "spec: {dependsOn: 7}",
     "spec: {dependsOn: [{a: b}, 3]}", "spec: null"],
)  # fmt: skip
def test_fields_of_other_types_name_nobody(tmp_path: Path, spec: str) -> None:
    """The entity is there; what it says about owners is nothing."""
    catalog = load([written(tmp_path, f"kind: Component\nmetadata: {{name: cart}}\n{spec}\n")])

    assert [entity.name for entity in catalog.entities] == ["cart"]
    assert catalog.owners([("cart", "cart")]) == {}
    assert catalog.declarations == []
