from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predict.addresses import is_public

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.100.1",
    "192.0.0.170",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001:db8::1",
    "100::1",
    "5f00::1",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "52.216.1.1"]
PUBLIC += ["2606:4700:4700::1111", "2600:1f18::1", "2a05:d018::1", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_public_ipv4_address_is_special_to_python(address: IPv4Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


# The other way round Python knows of more exceptions, all in blocks that hold no web server.
_ODD = [ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4")]


@given(st.ip_addresses(v=4))
@example(IPv4Address("192.0.0.9"))
def test_every_ipv4_address_that_python_calls_global_is_public(address: IPv4Address) -> None:
    if address.is_global and not any(address in block for block in _ODD):
        assert is_public(str(address))


@given(st.ip_addresses(v=6))
@example(IPv6Address("2001:10::1"))
def test_a_public_ipv6_address_is_global_and_holds_no_ipv4_address(address: IPv6Address) -> None:
    if is_public(str(address)) and address not in ip_network("64:ff9b::/96"):
        assert address.is_global
        assert address in ip_network("2000::/3")
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


@given(st.ip_addresses(v=4))
@example(IPv4Address("169.254.169.254"))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_more_public_than_itself(address: IPv4Address) -> None:
    number = int(address)
    assert is_public(str(IPv6Address((0x64_FF9B << 96) | number))) == is_public(str(address))
    assert not is_public(str(IPv6Address((0xFFFF << 32) | number)))
    assert not is_public(str(IPv6Address((0x2002 << 112) | (number << 80) | 1)))
    assert not is_public(str(IPv6Address((0x2001 << 112) | (number ^ 0xFFFF_FFFF))))


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert is_public(text) in {True, False}
