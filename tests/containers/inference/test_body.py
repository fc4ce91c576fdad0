from __future__ import annotations

import asyncio
from typing import Any

import pytest

from containers.inference import body as module
from containers.inference.body import Body, Budget
from containers.inference.refusals import GoneError, RefusedError


def read(*pieces: bytes | None, announced: int = 0, budget: Budget | None = None) -> bytes:
    """Read a body of these pieces; None is the end of the connection."""
    messages = iter(pieces)

    async def receive() -> dict[str, Any]:
        piece = next(messages)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": piece != pieces[-1]}

    async def run() -> bytes:
        with Body(budget or Budget(), receive) as body:
            return await body.read(announced)

    return asyncio.run(run())


def test_pieces_are_joined() -> None:
    assert read(b"abc") == b"abc"
    assert read(b"ab", b"", b"c", announced=3) == b"abc"


@pytest.mark.parametrize("announced", [0, 100])
def test_an_end_of_the_connection_is_no_body(announced: int) -> None:
    with pytest.raises(GoneError):
        read(b"abc", None, announced=announced)


def test_the_limit_holds_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    assert read(b"12345", b"67890") == b"1234567890"
    with pytest.raises(RefusedError) as caught:
        read(b"12345", b"67890", b"1", b"never asked for", announced=3)
    assert caught.value.status == 413


def test_a_length_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(RefusedError) as caught:
        read(announced=module.MAX_BYTES + 1)
    assert caught.value.status == 413


def test_nothing_is_refused() -> None:
    with pytest.raises(RefusedError, match="empty") as caught:
        read(b"")
    assert caught.value.status == 400


def test_all_bodies_share_a_budget_and_give_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES_IN_FLIGHT", 10)
    budget = Budget()
    budget.take(6)
    for _ in range(3):
        with pytest.raises(RefusedError) as caught:
            read(b"1234", b"5", budget=budget)
        assert (caught.value.status, caught.value.headers) == (503, ((b"retry-after", b"1"),))
    assert read(b"1234", budget=budget) == b"1234"
    assert read(b"4321", budget=budget) == b"4321"
