"""The address of a customer, as a value and as the fields of a form."""

from typing import Final

from fairground.kernel.addresses import Address

HOME: Final = Address(street="Storgata 1", details="2nd floor", postal_code="0155", city="Oslo", country="NO")
HOME_FIELDS: Final = {"street": HOME.street, "postal_code": "0155", "city": HOME.city, "country": HOME.country}
