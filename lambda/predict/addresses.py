"""Which IP addresses the function may connect to: those of the public internet, and no other.

IPv4 leaves out the special-purpose blocks (IANA registry, RFC 6890 and successors). IPv6 is the other way round: only
global unicast is let in, without the blocks that are special or carry an IPv4 address. Not left to
`ipaddress.is_global`, whose answers differ between patch releases of Python.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_SPECIAL_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; in clouds used for internal services
        "127.0.0.0/8",  # loopback: Lambda's runtime API
        "169.254.0.0/16",  # link-local: metadata of EC2, ECS and Lambda (169.254.100.1)
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
# What DNS64 answers in a subnet of IPv6 alone: stands for the IPv4 address in its last 32 bits (RFC 6052). The local
# prefix 64:ff9b:1::/48 is an operator's own, and stays out.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Say whether an address, as the resolver writes it, is one of the public internet.

    What is no address, or has a zone (`fe80::1%eth0`), is not.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return _is_public_v6(address)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(str(IPv4Address(int(address) & 0xFFFF_FFFF)))
    return address in _GLOBAL_V6 and not any(address in block for block in _SPECIAL_V6)
