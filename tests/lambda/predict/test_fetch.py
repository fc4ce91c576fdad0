from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from predict.errors import RefusalError, refused_host
from predict.fetch import Rules, fetch
from predict.limits import LARGEST_PHOTO

if TYPE_CHECKING:
    from tests.servers import Site

HOST = "photos.example.com"
MakeRules = Callable[..., Rules]


def refusal(text: str, rules: Rules) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        fetch(text, rules)
    assert "127.0.0.1" not in caught.value.message
    return caught.value


def url(site: Site, path: str = "/a.jpg", host: str = HOST) -> str:
    return f"https://{host}:{site.port}{path}"


def test_a_photo_is_fetched_over_tls_with_the_hosts_name(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg?b=c", b"photo")
    assert fetch(url(site, "/a.jpg?b=c"), rules(site)) == b"photo"
    head = site.asked[0].decode().lower()
    assert f"host: {HOST}:{site.port}\r\n" in head
    assert "accept-encoding: identity" in head
    assert "cookie" not in head
    assert "authorization" not in head


def test_a_body_without_a_length_or_in_chunks_is_read_to_its_end(site: Site, rules: MakeRules) -> None:
    site.pages["/a.jpg"] = b"HTTP/1.1 200 OK\r\n\r\nphoto"
    assert fetch(url(site), rules(site)) == b"photo"
    site.pages["/a.jpg"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nph\r\n3\r\noto\r\n0\r\n\r\n"
    assert fetch(url(site), rules(site)) == b"photo"


def test_nothing_is_decompressed(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"\x1f\x8bpacked", "Content-Encoding: gzip")
    assert fetch(url(site), rules(site)) == b"\x1f\x8bpacked"


def test_plain_http_only_where_it_is_allowed(plain_site: Site, rules: MakeRules) -> None:
    plain_site.put("/a.jpg", b"photo")
    text = url(plain_site).replace("https", "http")
    assert fetch(text, rules(plain_site, schemes={"https", "http"})) == b"photo"
    assert refusal(text, rules(plain_site)).status == 400


def test_no_proxy_of_the_environment_is_asked(site: Site, rules: MakeRules, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.put("/a.jpg", b"photo")
    assert fetch(url(site), rules(site)) == b"photo"


def test_the_certificate_must_be_the_hosts_and_signed(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"photo")
    other = rules(site, resolve=lambda *_: ["127.0.0.1"])
    assert refusal(url(site, host="other.example.com"), other).status == 502
    assert refusal(url(site, host="127.0.0.1"), other).status == 502
    refused = refusal(url(site), rules(site, trust=ssl.create_default_context))
    assert (refused.status, "certificate" in refused.message) == (502, True)
    assert site.asked == []


@pytest.mark.parametrize("first", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1"], ["::1"], []])
def test_one_address_that_is_not_allowed_refuses_the_host(first: list[str], site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"photo")
    refused = refusal(url(site), rules(site, resolve=lambda *_: first))
    assert (refused.status, refused.message) == (403, refused_host().message)
    assert site.asked == []


def test_hosts_that_do_not_exist_and_ports_are_refused_like_private_ones(site: Site, rules: MakeRules) -> None:
    def unknown(*_: Any) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    messages = {
        refusal(url(site), rules(site, resolve=unknown)).message,
        refusal("https://10.0.0.1/a.jpg", rules(site, ports={443})).message,
        refusal("https://[fd00:ec2::254]/a.jpg", rules(site, ports={443})).message,
        refusal("https://2130706433/a.jpg", rules(site)).message,
        refusal(f"https://{HOST}:22/", rules(site)).message,
    }
    assert messages == {refused_host().message}


def test_as_it_runs_loopback_is_refused(site: Site) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"):
        assert refusal(f"https://{host}/", Rules({"https"})).status == 403
    assert refusal(url(site), Rules({"https"})).status == 403


def test_a_host_is_resolved_once_so_no_second_answer_can_lead_elsewhere(site: Site, rules: MakeRules) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    site.put("/a.jpg", b"photo")
    assert fetch(url(site), rules(site, resolve=lambda *_: next(answers))) == b"photo"
    assert next(answers) == ["10.0.0.1"]


def test_the_next_address_is_tried_when_one_does_not_answer(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"photo")
    both = rules(site, resolve=lambda *_: ["::1", "127.0.0.1"], is_allowed=lambda _: True)
    assert fetch(url(site), both) == b"photo"


def test_redirects_are_followed_three_times(site: Site, rules: MakeRules) -> None:
    for number in range(4):
        site.redirect(f"/{number}", f"/{number + 1}")
    site.put("/4", b"photo")
    assert fetch(url(site, "/1"), rules(site)) == b"photo"
    refused = refusal(url(site, "/0"), rules(site))
    assert (refused.status, refused.message) == (502, "image_url redirects more than 3 times")


@pytest.mark.parametrize(
    "to",
    [
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://internal.example/",
        "https://photos.example.com:22/",
        "http://photos.example.com/",
        "file:///etc/passwd",
        "https://a:b@photos.example.com/",
        "https://exa mple/",
    ],
)
def test_no_redirect_leads_to_what_is_refused(to: str, site: Site, rules: MakeRules) -> None:
    site.redirect("/a.jpg", to)
    refused = refusal(url(site), rules(site, schemes={"https", "http"}))
    assert (refused.status, refused.message) == (403, refused_host().message)
    assert len(site.asked) == 1


def test_a_host_is_checked_again_after_a_redirect(site: Site, rules: MakeRules) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    site.redirect("/a.jpg", "/b.jpg")
    assert refusal(url(site), rules(site, resolve=lambda *_: next(answers))).status == 403


def test_a_redirect_to_nowhere(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"", status="301 Moved")
    assert refusal(url(site), rules(site)).status == 502


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "206 Partial Content", "401 No"])
def test_other_answers_than_200_are_no_photo(status: str, site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"", status=status)
    refused = refusal(url(site), rules(site))
    assert (refused.status, status[:3] in refused.message) == (502, True)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnumber\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nph",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nphoto",
    ],
)
def test_a_server_that_breaks_the_protocol(page: bytes, site: Site, rules: MakeRules) -> None:
    site.pages["/a.jpg"] = page
    assert refusal(url(site), rules(site)).status == 502


def test_a_server_that_is_not_there(rules: MakeRules, site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert refusal(f"https://{HOST}:{port}/", rules(site, ports={port})).status == 502


def test_a_length_over_the_limit_is_refused_before_reading(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", b"photo", length=LARGEST_PHOTO + 1)
    assert refusal(url(site), rules(site)).status == 413


def test_reading_ends_at_the_limit_where_the_length_is_missing(site: Site, rules: MakeRules) -> None:
    sent = 0

    def endless(connection: Any) -> None:
        nonlocal sent
        connection.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 4 * LARGEST_PHOTO:
            connection.write(bytes(1 << 16))
            sent += 1 << 16

    site.pages["/a.jpg"] = endless
    assert refusal(url(site), rules(site, seconds=30.0)).status == 413
    assert sent < 3 * LARGEST_PHOTO


def test_a_photo_of_just_the_limit_is_read(site: Site, rules: MakeRules) -> None:
    site.put("/a.jpg", bytes(LARGEST_PHOTO))
    assert len(fetch(url(site), rules(site, seconds=30.0))) == LARGEST_PHOTO


def _drip(beginning: bytes, gap: float = 0.05) -> Callable[[Any], None]:
    def page(connection: Any) -> None:
        connection.write(beginning)
        for _ in range(int(5 / gap)):
            connection.write(b"a")
            time.sleep(gap)

    return page


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""]
)
def test_bytes_that_drip_in_are_cut_off_at_the_deadline(beginning: bytes, site: Site, rules: MakeRules) -> None:
    site.pages["/a.jpg"] = _drip(beginning)
    began = time.monotonic()
    assert refusal(url(site), rules(site, seconds=0.4)).status == 504
    assert time.monotonic() - began < 3


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_handshake_that_never_comes_ends_at_the_deadline(silent: int, rules: MakeRules) -> None:
    assert refusal(f"https://{HOST}:{silent}/", rules(ports={silent}, seconds=0.2)).status == 504


def test_a_slow_resolver_ends_at_the_deadline(site: Site, rules: MakeRules) -> None:
    end = threading.Event()

    def resolve(*_: Any) -> Sequence[str]:
        end.wait(5)
        return ["127.0.0.1"]

    refused = refusal(url(site), rules(site, seconds=0.2, resolve=resolve))
    end.set()
    assert refused.status == 504


def test_the_deadline_holds_over_all_redirects(site: Site, rules: MakeRules) -> None:
    def slow(connection: Any) -> None:
        time.sleep(0.2)
        connection.write(b"HTTP/1.1 302 Found\r\nLocation: /a.jpg\r\n\r\n")

    site.pages["/a.jpg"] = slow
    assert refusal(url(site), rules(site, seconds=0.5)).status == 504
