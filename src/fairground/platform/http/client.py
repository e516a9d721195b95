"""By which address a caller is counted."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection


def client_key(connection: HTTPConnection) -> str:
    """Return the peer's IPv4 address, or the /64 of its IPv6 one, because a household has a whole /64.

    Headers such as X-Forwarded-For are not read here: the server replaces the peer's address by them only when the
    peer is a proxy that the operator has named.
    """
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


ClientKey = Annotated[str, Depends(client_key)]
