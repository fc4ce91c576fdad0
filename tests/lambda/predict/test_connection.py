from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from predict import connection
from predict.connection import Deadline


def test_a_deadline_that_has_passed_leaves_nothing() -> None:
    assert 4 < Deadline(5).left() <= 5
    with pytest.raises(TimeoutError):
        Deadline(0).left()
    with pytest.raises(TimeoutError):
        Deadline(0).within(lambda: 1)


def test_what_is_waited_for_gives_its_result_or_its_error() -> None:
    assert Deadline(5).within(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        Deadline(5).within(lambda: 1 // 0)


def test_the_resolver_gives_each_address_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        assert (host, port) == ("a.example", 443)
        kinds = [("2606::1", 443, 0, 0), ("1.2.3.4", 443), ("1.2.3.4", 443)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in kinds]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert connection.resolve("a.example", 443) == ["2606::1", "1.2.3.4"]


def test_certificates_are_required_and_checked_for_the_host() -> None:
    context = connection.trust()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert connection.trust() is context
