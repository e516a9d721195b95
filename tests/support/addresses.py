"""Addresses of customers."""

from typing import Final

from fairground.kernel.addresses import Address

HOME: Final = Address(street="Storgata 1", details="2nd floor", postal_code="0155", city="Oslo", country="NO")
