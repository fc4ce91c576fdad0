from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import RefusalError
from predict.urls import Url, follow, parse, shown


def status(text: str, *schemes: str) -> int:
    with pytest.raises(RefusalError) as caught:
        parse(text, schemes or ("https",))
    assert len(caught.value.message.splitlines()) == 1
    return caught.value.status


def test_a_url_is_taken_apart() -> None:
    assert parse("HTTPS://Example.COM./a/b%20c?d=e#f", {"https"}) == Url("https", "example.com", 443, "/a/b%20c?d=e")
    assert parse("http://a_b.example:8080", {"https", "http"}) == Url("http", "a_b.example", 8080, "/")
    assert parse("https://[2606:4700::1111]:443/x", {"https"}) == Url("https", "2606:4700::1111", 443, "/x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photo.jpg",
        "http://example.com/a.jpg",
        "file:///etc/passwd",
        "ftp://example.com/a.jpg",
        "gopher://127.0.0.1:9001/",
        "https:",
        "https://",
        "https:///a.jpg",
        "https://:443/a.jpg",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/a\r\nHost: x",
        "https://example.com/\0",
        " https://example.com/",
        "https://exämple.com/",
        "https://example.com/\u2100",
        "https://a..b/",
        "https://-a.example/",
        "https://a%2eb/",
        "https://[::1/",
        "https://::1/",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_what_is_no_url_of_ours(text: str) -> None:
    assert status(text) == 400


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.01", "1.2.3.4.5", "256.1.1.1", "0x"]
)
def test_numbers_that_a_resolver_would_take_for_an_address_are_refused_as_hosts(host: str) -> None:
    assert status(f"https://{host}/") == 403


def test_brackets_hold_an_ipv6_address() -> None:
    assert status("https://[v1.x]/") in {400, 403}
    assert status("https://[example.com]/") in {400, 403}
    assert status("https://[127.0.0.1]/") in {400, 403}
    assert status("https://[fe80::1%25eth0]/") in {400, 403}


@pytest.mark.parametrize(
    "authority", ["{}evil.example", "evil.example{}", "{}.evil.example:443", "{}:443:443", "{0}{0}"]
)
def test_nothing_stands_beside_the_brackets(authority: str) -> None:
    # Of each, urlsplit reads the address, or none; another reader might see the name.
    assert status(f"https://{authority.format('[2606:4700::1111]')}/") in {400, 403}


def test_a_host_that_is_an_address_is_known_as_one() -> None:
    found = {host: parse(f"https://{host}/", {"https"}).is_address for host in ("8.8.8.8", "[::1]", "a.example", "1a")}
    assert found == {"8.8.8.8": True, "[::1]": True, "a.example": False, "1a": False}


def test_the_host_header_has_the_port_only_where_it_is_not_the_schemes() -> None:
    texts = ["https://a.example:443/", "https://a.example:80/", "https://[2606::1]/", "http://a.example:80/"]
    assert [parse(text, {"https", "http"}).authority for text in texts] == [
        "a.example",
        "a.example:80",
        "[2606::1]",
        "a.example",
    ]


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("/b.jpg", "https://a.example/b.jpg"),
        ("b.jpg?c", "https://a.example/x/b.jpg?c"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example:443/b", "https://other.example/b"),
    ],
)
def test_where_a_redirect_leads(location: str, to: str) -> None:
    assert str(follow(parse("https://a.example/x/a.jpg", {"https"}), location, {"https"})) == to


@pytest.mark.parametrize(
    "location", ["http://a.example/", "file:///etc/passwd", "https://u:p@a.example/", "https://[::1", "//[::1/"]
)
def test_where_a_redirect_must_not_lead(location: str) -> None:
    with pytest.raises(RefusalError):
        follow(parse("https://a.example/", {"https", "http"}), location, {"https", "http"})


def test_http_may_become_https() -> None:
    both = {"https", "http"}
    assert follow(parse("http://a.example/", both), "https://a.example/b", both).scheme == "https"


def test_answers_and_logs_leave_queries_out() -> None:
    assert shown("https://a.example/b.jpg?X-Amz-Signature=secret#f") == "https://a.example/b.jpg"


def _read(text: str) -> Url | None:
    try:
        return parse(text, {"https", "http"})
    except RefusalError:
        return None


@given(
    st.one_of(
        st.text(),
        st.text().map(lambda text: f"https://{text}"),
        st.text("abc.:/@[]%#?\\0123456789x-").map(lambda text: f"https://{text}"),
    )
)
def test_any_text_is_a_url_that_all_readers_read_alike_or_refused(text: str) -> None:
    url = _read(text)
    if url is not None:
        again = urlsplit(str(url))
        assert again.hostname == url.host
        assert (again.port or {"https": 443, "http": 80}[url.scheme]) == url.port
        assert again.username is None
        assert parse(str(url), {"https", "http"}) == url
