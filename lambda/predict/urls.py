"""URLs: taken apart strictly, since two readers of one lenient URL may see two hosts."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urljoin, urlsplit

from predict.errors import RefusalError, refused_host

PORTS = {"https": 443, "http": 80}
_LONGEST = 2048
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # RFC 3986
_BRACKETS = re.compile(r"\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# Resolvers read these as IPv4 addresses, in octal, hexadecimal or with fewer dots (as browsers do: WHATWG URL, 3.5).
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


@dataclass(frozen=True)
class Url:
    """A URL whose form is right; nothing is said about its host's addresses yet.

    `host` is a lower-case name, or an IP address without brackets; `target` is the path with the query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address."""
        return ":" in self.host or _NUMBER.fullmatch(self.host.rpartition(".")[2]) is not None

    @property
    def authority(self) -> str:
        """The host and, where it is not the scheme's own, the port: what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(text: str, schemes: Collection[str]) -> Url:
    """Take a URL apart.

    Raises:
        RefusalError: 400, another scheme, a user or password, characters or a host that no URL has; 403, an IP address
            that is not spelled as usual.
    """
    if len(text) > _LONGEST:
        raise RefusalError(400, f"image_url has more than {_LONGEST} characters")
    if not _CHARACTERS.fullmatch(text):
        raise RefusalError(400, "image_url has characters that a URL must write percent-encoded (host names: punycode)")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RefusalError(400, "image_url is no URL") from None
    if parts.scheme not in set(schemes) & PORTS.keys():
        raise RefusalError(400, f"image_url must begin with {' or '.join(f'{name}://' for name in sorted(schemes))}")
    if "@" in parts.netloc:
        raise RefusalError(400, "image_url must not hold a user or password")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, _host(parts), PORTS[parts.scheme] if port is None else port, target)


def follow(url: Url, location: str, schemes: Collection[str]) -> Url:
    """Return where a redirect of `url` leads. Raises RefusalError: see `parse`; from https it never leads to http."""
    try:
        joined = urljoin(str(url), location)
    except ValueError:
        raise RefusalError(400, "the location is no URL") from None
    return parse(joined, {"https"} if url.scheme == "https" else schemes)


def shown(text: str) -> str:
    """Return a URL as answers and logs repeat it: queries hold signatures, and are left out."""
    return re.split(r"[?#]", text, maxsplit=1)[0]


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    try:
        if "[" in parts.netloc:
            if not _BRACKETS.fullmatch(parts.netloc):  # urlsplit overlooks what stands before and behind them
                raise refused_host()
            return str(IPv6Address(host))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except AddressValueError:
        raise refused_host() from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise RefusalError(400, "image_url has no valid host name")
    return host
