"""The picture of the provider of a booking, which a booking itself does not keep."""

from fairground.contracts.providers import ProviderNotFound, Providers


async def find_picture(catalog: Providers, *, slug: str) -> str | None:
    """Return the address of the provider's picture; None when it has none, or is not public any more."""
    try:
        return (await catalog.get_provider(id_or_slug=slug)).profile_picture_url
    except ProviderNotFound:
        return None
