"""What search engines read of a provider, as JSON-LD: schema.org/LocalBusiness, its Offers and AggregateRating."""

from typing import Any

from fairground.contracts.providers import ProviderDetail
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.kernel.money import major_from_minor


def describe_provider(provider: ProviderDetail, *, public_url: str) -> dict[str, Any]:
    """Return the JSON-LD of a provider's page. Prices are the lowest totals, in major units."""
    address = f"{public_url}/p/{provider.slug}"
    described: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "@id": address,
        "url": address,
        "name": provider.business_name,
        "address": {"@type": "PostalAddress", "addressLocality": provider.location},
    }
    if provider.custom_subtitle:
        described["description"] = provider.custom_subtitle
    if provider.profile_picture_url:
        is_own = provider.profile_picture_url.startswith("/")
        described["image"] = public_url + provider.profile_picture_url if is_own else provider.profile_picture_url
    if provider.rating is not None:
        described["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": provider.rating,
            "reviewCount": provider.rating_count,
        }
    if provider.services:
        described["makesOffer"] = [
            {
                "@type": "Offer",
                "itemOffered": {"@type": "Service", "name": service.name},
                "price": str(major_from_minor(compute_service_total(service), service.currency)),
                "priceCurrency": service.currency,
            }
            for service in provider.services
        ]
    return described
