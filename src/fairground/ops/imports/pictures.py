"""What a row says of pictures: embedded as `data:` addresses, or named by the addresses of their files."""

import re
from typing import Final

from fairground.contracts.imports import ImportedPicture, PicturePlace
from fairground.contracts.providers import GALLERY_MAX
from fairground.ops.imports.records import RowFault
from fairground.platform.http.outbound.addresses import OutboundAddressRefused, read_target
from fairground.platform.images.formats import DATA_URL_SCHEME, decode_data_url

PICTURES: Final = {
    "profile_picture": (PicturePlace.PORTRAIT, 1),
    "portfolio_pictures": (PicturePlace.PORTFOLIO, GALLERY_MAX),
    "service_pictures": (PicturePlace.SERVICE, GALLERY_MAX),
}
"""The place of each field's pictures, and how many a row may have."""
# Lists become text with commas, and an address may have commas of its own.
_BETWEEN: Final = re.compile(r"[\s,]+(?=data:|https?://)", re.IGNORECASE)


def read_pictures(text: str, *, place: PicturePlace, alt: str, most: int, column: str) -> list[ImportedPicture]:
    """Return the pictures of one field.

    Raises:
        RowFault: There are more than `most`, or one is no address.
    """
    addresses = [address for address in _BETWEEN.split(text.strip(" ,")) if address]
    if len(addresses) > most:
        raise RowFault(column, f"{len(addresses)} pictures", f"keep at most {most}")
    return [_read_picture(address, place=place, alt=alt, column=column) for address in addresses]


def _read_picture(address: str, *, place: PicturePlace, alt: str, column: str) -> ImportedPicture:
    if address.lower().startswith(DATA_URL_SCHEME):
        return ImportedPicture(place=place, content=decode_data_url(address), alt=alt)
    try:
        read_target(address)
    except OutboundAddressRefused as refusal:
        reason = refusal.detail.rstrip(".")
        hint = "write https://…, or data:image/jpeg;base64,…, or leave it empty"
        raise RowFault(column, reason[0].lower() + reason[1:], hint) from None
    return ImportedPicture(place=place, url=address, alt=alt)
