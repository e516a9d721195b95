"""Builds the client for addresses that others have named, and shows what it counts."""

from fairground.platform.http.outbound.addresses import read_networks
from fairground.platform.http.outbound.client import OutboundClient, OutboundSettings
from fairground.platform.module import Module


def open_client(settings: OutboundSettings, *, public_url: str) -> OutboundClient:
    """Return the client; nothing is connected yet. `public_url` tells other servers who asks."""
    return OutboundClient(
        user_agent=f"Fairground (+{public_url})", ports=settings.ports, allow=read_networks(settings.allow)
    )


def build(client: OutboundClient) -> Module:
    return Module(name="outbound", measure=client.measure, stop=client.close)
