"""A small web shop: eleven services, three databases, two caches, a queue, a payment provider."""

from __future__ import annotations

from tracemap.simulate.blueprint import (
    Call,
    Entry,
    Operation,
    OperationKey,
    Service,
    Shop,
    Stage,
    Subscription,
    database,
)

HOME = "GET /"
PRODUCT = "GET /products/{id}"
SEARCH = "GET /search"
ADD_TO_CART = "POST /cart"
CHECKOUT = "POST /checkout"


def shop() -> Shop:
    """Return the shop. Its graph, operations and rates are fixed.

    Example:
        >>> len([service for service in shop().services.values() if service.kind == "service"])
        11
    """
    return Shop.of(
        "shop",
        services=(*_services(), *_stores()),
        operations=(*_front_door(), *_reading(), *_buying(), *_fulfilling(), *_leaves()),
        entries=(
            Entry("storefront", HOME, 50),
            Entry("storefront", PRODUCT, 110),
            Entry("storefront", SEARCH, 60),
            Entry("storefront", ADD_TO_CART, 40),
            Entry("storefront", CHECKOUT, 70),
        ),
        subscriptions=(
            Subscription(
                OperationKey("orders", "send orders"), OperationKey("email", "process orders")
            ),
            Subscription(
                OperationKey("orders", "send orders"),
                OperationKey("fulfilment", "process orders"),
                lag_ms=60.0,
            ),
        ),
    )


def _services() -> tuple[Service, ...]:
    return (
        Service(
            "storefront", protocol="http", port=443, replicas=3, version="4.12.0",
            language="nodejs", owner="team-web", criticality="critical",
        ),
        Service("catalog", replicas=3, version="2.8.1", owner="team-catalog", criticality="high"),
        Service("search", version="1.19.3", language="java", owner="team-catalog"),
        Service("recommendation", version="0.9.4", language="python", owner="team-growth",
                criticality="low"),
        Service("cart", version="3.3.0", language="dotnet", owner="team-web", criticality="high"),
        Service("checkout", replicas=3, version="5.1.2", language="java", owner="team-payments",
                criticality="critical"),
        Service("pricing", version="1.4.0", owner="team-catalog"),
        Service("payment", version="2.2.7", owner="team-payments", criticality="critical"),
        Service("shipping", version="1.7.5", language="rust", owner="team-logistics"),
        Service("email", version="1.2.0", language="ruby", owner="team-growth",
                criticality="low"),
        Service("fulfilment", version="2.0.3", language="java", owner="team-logistics"),
    )  # fmt: skip


def _stores() -> tuple[Service, ...]:
    return (
        database("postgresql", "catalog-db", "catalog"),
        database("postgresql", "order-db", "orders"),
        database("postgresql", "warehouse-db", "warehouse"),
        database("redis", "product-cache"),
        database("redis", "cart-store"),
        Service("orders", "queue", "kafka", host="kafka", port=9092),
        Service("api.payments.example", "external", port=443),
    )


def _front_door() -> tuple[Operation, ...]:
    get_product = Call("catalog", "shop.Catalog/GetProduct")
    return (
        Operation("storefront", HOME, 7.0, stages=(
            _one(Call("catalog", "shop.Catalog/ListProducts")),
        )),
        Operation("storefront", PRODUCT, 6.0, stages=(
            Stage((get_product, Call("recommendation", "shop.Recommendation/List", optional=True))),
        )),
        Operation("storefront", SEARCH, 5.0, stages=(_one(Call("search", "shop.Search/Query")),)),
        Operation("storefront", ADD_TO_CART, 5.0, stages=(
            _one(get_product),
            _one(Call("cart", "shop.Cart/AddItem")),
        )),
        Operation("storefront", CHECKOUT, 9.0, stages=(
            _one(Call("checkout", "shop.Checkout/PlaceOrder")),
        )),
    )  # fmt: skip


def _reading() -> tuple[Operation, ...]:
    cached = _one(Call("redis product-cache", "GET product", gap_ms=0.3, optional=True))
    missed = Call("postgresql catalog", "SELECT products", probability=0.35, gap_ms=0.4)
    return (
        Operation("catalog", "shop.Catalog/GetProduct", 3.0, stages=(cached, _one(missed))),
        Operation("catalog", "shop.Catalog/ListProducts", 8.0, stages=(
            _one(Call("postgresql catalog", "SELECT products", gap_ms=0.4)),
        )),
        Operation("search", "shop.Search/Query", 28.0, sigma=0.45, stages=(
            _one(Call("catalog", "shop.Catalog/ListProducts")),
        )),
        Operation("recommendation", "shop.Recommendation/List", 4.0),
    )  # fmt: skip


def _buying() -> tuple[Operation, ...]:
    return (
        Operation("cart", "shop.Cart/AddItem", 2.0, stages=(
            _one(Call("redis cart-store", "HSET cart", gap_ms=0.3)),
        )),
        Operation("cart", "shop.Cart/GetCart", 2.0, stages=(
            _one(Call("redis cart-store", "HGETALL cart", gap_ms=0.3)),
        )),
        Operation("checkout", "shop.Checkout/PlaceOrder", 8.0, stages=(
            Stage((Call("cart", "shop.Cart/GetCart"), Call("pricing", "shop.Pricing/Quote")),
                  span="prepare order"),
            Stage((
                Call("payment", "shop.Payment/Charge"),
                Call("shipping", "shop.Shipping/Quote"),
            )),
            _one(Call("postgresql orders", "INSERT orders", gap_ms=0.4)),
            _one(Call("orders", "send orders", gap_ms=0.8, optional=True)),
        )),
        Operation("pricing", "shop.Pricing/Quote", 5.0),
        Operation("payment", "shop.Payment/Charge", 6.0, stages=(
            _one(Call("api.payments.example", "POST /v1/charges", gap_ms=22.0)),
        )),
        Operation("shipping", "shop.Shipping/Quote", 9.0),
    )  # fmt: skip


def _fulfilling() -> tuple[Operation, ...]:
    return (
        Operation("email", "process orders", 18.0, sigma=0.6),
        Operation("fulfilment", "process orders", 6.0, stages=(
            _one(Call("postgresql warehouse", "INSERT shipments", gap_ms=0.4)),
        )),
    )  # fmt: skip


def _leaves() -> tuple[Operation, ...]:
    return (
        Operation("postgresql catalog", "SELECT products", 5.0, sigma=0.5, error_ratio=0.0),
        Operation("postgresql orders", "INSERT orders", 6.0, sigma=0.4, error_ratio=0.0002),
        Operation("postgresql warehouse", "INSERT shipments", 5.0, sigma=0.4, error_ratio=0.0),
        Operation("redis product-cache", "GET product", 0.5, sigma=0.3, error_ratio=0.0),
        Operation("redis cart-store", "HSET cart", 0.6, sigma=0.3, error_ratio=0.0),
        Operation("redis cart-store", "HGETALL cart", 0.6, sigma=0.3, error_ratio=0.0),
        Operation("orders", "send orders", 2.5, sigma=0.4, error_ratio=0.0),
        Operation("api.payments.example", "POST /v1/charges", 140.0, sigma=0.25, error_ratio=0.002),
    )


def _one(call: Call) -> Stage:
    """Return a stage of a single call."""
    return Stage((call,))
