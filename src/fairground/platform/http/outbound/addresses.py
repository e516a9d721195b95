"""Addresses that others have named: how one is read, and to which IP addresses a connection may go.

An address is read once, here, and the client connects to what was read: there is no second parser that could
understand it differently. Names are resolved by the client, and `is_public` judges every IP address of a name.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import quote, urlsplit

import idna

from fairground.kernel.errors import Invalid

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

URL_MAX_LENGTH: Final = 2_000
USUAL_PORTS: Final = {"http": 80, "https": 443}

_HOST_MAX_LENGTH: Final = 253  # RFC 1035 §2.3.4, without the dot of the root
_AUTHORITY: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# The WHATWG URL standard reads a host as IPv4 when its last label is a number: 127.1, 0x7f000001, 017700000001.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"  # RFC 3986 §3.3; what is escaped already stays as it is

# The special-purpose registries of IANA (RFC 6890 and its updates). `is_global` of Python knows most of them, and which
# ones depends on its version, so they are listed here; multicast is global for Python.
_SPECIAL_V4: Final = [
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
_UNICAST_V6: Final = IPv6Network("2000::/3")  # all that IANA has assigned for global unicast
# Protocol assignments with Teredo, documentation, 6to4: tunnels carry an IPv4 address of any kind.
_SPECIAL_V6: Final = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is connected to
_LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


class OutboundAddressRefused(Invalid):
    code = "outbound.address_refused"
    hint = "Use the full address on a public server, such as https://example.org/picture.jpg."


@dataclass(frozen=True, slots=True)
class Target:
    """An address as it is requested."""

    scheme: str
    host: str
    """In ASCII and small letters; an IPv6 address without brackets."""
    port: int
    path: str
    """With the query, escaped."""

    @property
    def authority(self) -> str:
        """The Host header (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def known_addresses(self) -> list[IPAddress]:
        """The IP addresses that need no lookup: of an IP address itself, and of localhost (RFC 6761 §6.3)."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return list(_LOOPBACK)
        try:
            return [unmapped(ip_address(self.host))]
        except ValueError:
            return []


def read_target(url: str) -> Target:
    """Read an address; whether its host may be connected to is not known yet.

    Raises:
        OutboundAddressRefused: It is not http or https, has a user or a password, or is spelled in a way that only some
            programs read, such as `http://127.1/` or with backslashes.
    """
    if len(url) > URL_MAX_LENGTH:
        raise OutboundAddressRefused(f"The address has {len(url)} characters; it may have {URL_MAX_LENGTH}.")
    # urlsplit drops tabs and line ends without a word, and browsers read a backslash as a slash.
    if not url.isprintable() or "\\" in url or url != url.strip():
        raise OutboundAddressRefused("The address contains invalid characters.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise OutboundAddressRefused("The address is not valid.") from None
    if parts.scheme not in USUAL_PORTS:
        raise OutboundAddressRefused("The address must start with https:// or http://.")
    if "@" in parts.netloc:
        raise OutboundAddressRefused(
            "The address contains a user name or password.", hint="Remove everything before the @."
        )
    found = _AUTHORITY.fullmatch(parts.netloc)
    if found is None:
        raise OutboundAddressRefused("The address has no valid host.")
    port = int(found["port"]) if found["port"] else USUAL_PORTS[parts.scheme]
    path = quote(parts.path or "/", safe=_IN_PATH) + (
        f"?{quote(parts.query, safe=_IN_PATH + '?')}" if parts.query else ""
    )
    return Target(scheme=parts.scheme, host=_read_host(found["host"]), port=port, path=path)


def _read_host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise OutboundAddressRefused("The address contains an invalid IPv6 address.") from None
    host = text.lower() if text.isascii() else _to_ascii(text)
    labels = host.split(".")
    if len(host) > _HOST_MAX_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        raise OutboundAddressRefused("The host of the address is not valid.")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise OutboundAddressRefused("Write the IPv4 address as four numbers, such as 198.51.100.7.") from None
    return host


def _to_ascii(host: str) -> str:
    """Return an internationalised name as it is looked up (UTS 46): full-width digits and dots become ASCII."""
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        raise OutboundAddressRefused("The host of the address is not valid.") from None


def unmapped(address: IPAddress) -> IPAddress:
    """Return an IPv4-mapped IPv6 address as IPv4, to which a connection would go."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_public(address: IPAddress) -> bool:
    """Return whether an address is global unicast, so that nothing of our own network answers at it."""
    address = unmapped(address)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        return address in _UNICAST_V6 and address.is_global and not any(address in net for net in _SPECIAL_V6)
    return address.is_global and not any(address in network for network in _SPECIAL_V4)


def read_networks(texts: Collection[str]) -> list[IPNetwork]:
    """Read addresses and networks such as 10.1.2.3 or fd00:1::/64.

    Raises:
        ValueError: One is neither, or is so large that it would allow nearly everything.
    """
    networks: list[IPNetwork] = []
    for text in texts:
        try:
            network = ip_network(text)
        except ValueError:
            raise ValueError("must be IP addresses and networks, such as 10.1.2.3,fd00:1::/64") from None
        least = 8 if network.version == 4 else 16  # noqa: PLR2004 - IPv4
        if network.prefixlen < least:
            raise ValueError(f"must be limited to the addresses that are needed, in networks no larger than /{least}")
        networks.append(network)
    return networks
