"""By which address a caller is counted."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address of a peer, an IPv4 one that came over IPv6 as such; None for something else."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def client_of(host: str) -> str:
    """Return an IPv4 address as it is, and the /64 of an IPv6 one, because a household has a whole /64."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return host if address is None else str(address)


def client_key(connection: HTTPConnection) -> str:
    """Return by what the peer of a request is counted.

    Headers such as X-Forwarded-For are not read here: the server replaces the peer's address by them only when the
    peer is a proxy that the operator has named.
    """
    return client_of(connection.client.host if connection.client else "unknown")


ClientKey = Annotated[str, Depends(client_key)]
