"""Dollars: a span of them, a line of a bill, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Usd:
    """From `low` to `high` US dollars."""

    low: float
    high: float

    def __add__(self, other: Usd) -> Usd:
        return Usd(self.low + other.low, self.high + other.high)

    def __str__(self) -> str:
        low, high = money(self.low), money(self.high)
        return high if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class Line:
    """What something costs; `what` says how it is made up, `usd` is None where no price is known."""

    name: str
    what: str
    usd: Usd | None


def total(lines: Iterable[Line]) -> Usd:
    """Add up the lines whose price is known."""
    return sum((line.usd for line in lines if line.usd is not None), Usd(0.0, 0.0))


def money(usd: float) -> str:
    """Write dollars with cents; what is less than a cent, but something, as such."""
    return "under $0.01" if 0 < usd < 0.005 else f"${usd:,.2f}"
