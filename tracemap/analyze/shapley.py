"""By how much each of several parallel calls made the slowest longer: an exact Shapley value.

Calls that run side by side take as long as the one that ends last. Where several of them changed,
"the one that ended last" would take all of the change; fair is the mean of what each adds over all
orders in which the changes could have come (Shapley, Contributions to the Theory of Games 2, 1953).
That needs no sum over orders. With independent reaches, ``p[i](t)`` the chance that call i reaches
beyond t now and ``q[i](t)`` that it did before, the longest reaches beyond t with the chance
``1 - product(1 - p or q)``, and by Owen's multilinear extension (Management Science 18, 1972)::

    share of i = integral over t of (p[i] - q[i]) x
                 integral over u from 0 to 1 of product over j != i of (1 - u p[j] - (1 - u) q[j])

The inner integrand is a polynomial of degree n - 1 in u: Gauss-Legendre with n / 2 points is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Reach(NamedTuple):
    """A distribution of how far a call reaches: values, and the chance of each; the rest is 0.

    Attributes:
        value: ns, any order.
        chance: Of each value; sums to at most 1.
    """

    value: NDArray[np.float64]
    chance: NDArray[np.float64]

    def beyond(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance to reach beyond each of `at`."""
        order = np.argsort(self.value, kind="stable")
        left = np.append(np.cumsum(self.chance[order][::-1])[::-1], 0.0)
        return np.asarray(left[np.searchsorted(self.value[order], at, side="right")])


def shares_of_longest(
    before: Sequence[Reach], now: Sequence[Reach]
) -> tuple[NDArray[np.float64], float, float]:
    """Return what each call added to the mean of the longest, and that mean before and now.

    The shares add up to the difference. A call that did not change has none; calls that changed
    alike have equal ones.

    Args:
        before: Distribution of each call.
        now: The same after the change.
    """
    values = [reach.value for reach in (*before, *now)]
    edges = np.unique(np.concatenate([np.zeros(1), *values]))
    width, at = np.diff(edges), edges[:-1]
    q, p = (np.stack([reach.beyond(at) for reach in side]) for side in (before, now))
    longest = [float(((1 - np.prod(1 - side, axis=0)) * width).sum()) for side in (q, p)]
    node, weight = np.polynomial.legendre.leggauss((len(before) + 1) // 2)
    shares = np.zeros(len(before))
    for u, part in zip((node + 1) / 2, weight / 2, strict=True):
        short = 1 - u * p - (1 - u) * q
        others = _product_of_others(short)
        shares += part * ((p - q) * others * width).sum(axis=1)
    return shares, longest[0], longest[1]


def _product_of_others(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row the product of all other rows, without dividing."""
    ones = np.ones_like(factors[:1])
    ahead = np.cumprod(np.concatenate([ones, factors[:-1]]), axis=0)
    behind = np.cumprod(np.concatenate([ones, factors[:0:-1]]), axis=0)[::-1]
    return np.asarray(ahead * behind)
