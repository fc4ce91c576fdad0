from __future__ import annotations

import http.client

import pytest

from pipeline.local.endpoints.asking import NoAnswerError, ask


def test_a_connection_that_is_reset_at_once_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(_connection: http.client.HTTPConnection) -> None:
        raise ConnectionResetError("reset by a server that stops")

    monkeypatch.setattr(http.client.HTTPConnection, "connect", reset)
    with pytest.raises(NoAnswerError, match="ConnectionResetError: reset by"):
        ask({"port": 1}, b"photo", {})
