"""Prewarming: requests the pictures that most visitors see first, so that they are made before a visitor waits."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

import httpx

from fairground.ops.cache.client import RequestResult, request

# The header of a current browser. Older ones get what was made at the upload, or wait.
_ACCEPT: Final = {"accept": "image/avif,image/webp,image/*,*/*;q=0.8"}
_PICTURE: Final = "/api/v1/img/"
_PROVIDER: Final = re.compile(r'href="(/p/[a-z0-9-]+)"')
_FIRST: Final = 4  # of a provider's page: the portrait, and the part of the gallery that is visible without scrolling


def warm_pictures(client: httpx.Client, *, top: int) -> Iterator[RequestResult]:
    """Request the pictures of lists and of the pages of the first `top` providers of each vertical.

    The pages name the pictures and sizes, so that this requests what browsers request.

    Raises:
        httpx.HTTPError: The client's server cannot be reached or has no such pages.
    """
    categories = client.get("/api/v1/categories").raise_for_status().json()["data"]
    asked: set[str] = set()
    for vertical in dict.fromkeys(each["vertical"] for each in categories):
        providers: list[str] = []
        page = 0
        while len(providers) < top:
            page += 1
            shown = client.get(f"/c/{vertical}", params={"page": page} if page > 1 else {}).raise_for_status().text
            found = [path for path in dict.fromkeys(_PROVIDER.findall(shown)) if path not in providers]
            if not found:
                break
            providers += found[: top - len(providers)]
            yield from _request_first(client, shown, asked, most=len(found))
        for provider in providers:
            yield from _request_first(client, client.get(provider).raise_for_status().text, asked, most=_FIRST)


def _request_first(client: httpx.Client, page: str, asked: set[str], *, most: int) -> Iterator[RequestResult]:
    """Request the first pictures of a page in all sizes that it offers, each once."""
    offered = _PictureAddresses()
    offered.feed(page)
    first = list(dict.fromkeys(address.partition("?")[0] for address in offered.addresses))[:most]
    for address in dict.fromkeys(offered.addresses):
        if address.partition("?")[0] in first and address not in asked:
            asked.add(address)
            yield request(client, address, headers=_ACCEPT)


class _PictureAddresses(HTMLParser):
    """Collects the addresses of pictures, in the order in which a page names them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"img", "source"}:
            return
        given = dict(attrs)
        srcset = [each.split()[0] for each in (given.get("srcset") or "").split(",") if each.strip()]
        # Browsers that read `srcset` never load `src`, which is for those that do not.
        self.addresses += [each for each in srcset or [given.get("src") or ""] if each.startswith(_PICTURE)]
