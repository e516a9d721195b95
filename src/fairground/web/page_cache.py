"""The caching of pages: public ones in one copy for all readers until a tag is invalidated, and headers for others."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from fairground.platform.cache.policy import CachePolicy, NoParameters, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http import cache_control as control

# A page of one reader: never in a shared cache, and revalidated whenever it is opened.
PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
# Payment and staff pages leave no copy, not even in the reader's own browser.
UNSTORED: Final = {"Cache-Control": control.UNSTORED}
# A link with the parameters of a newsletter leads to the page that a browser may have prefetched already.
NO_VARY_SEARCH: Final = 'params=("utm_source" "utm_medium" "utm_campaign" "fbclid" "gclid")'

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def cached_page(
    name: str,
    *,
    edition: str,
    tags: Callable[[Mapping[str, Any]], tuple[str, ...]],
    path: type[BaseModel] = NoParameters,
    query: type[BaseModel] = NoParameters,
    is_unknown: Callable[[Mapping[str, Any]], bool] = lambda _parameters: False,
) -> Callable[[_Endpoint], _Endpoint]:
    """Declare that a page, or a part of one, is the same for all readers. Place it below the router's decorator.

    Args:
        name: The name of the page in keys and metrics.
        edition: As `Renderer.edition`.
        tags: Returns the tags of the page from the parameters of path and query.
        is_unknown: Returns from the same parameters whether they name something that does not exist; see `CachePolicy`.
    """
    return cached(
        CachePolicy(
            route=f"page-{name}",
            life=Life.PAGES,
            edition=edition,
            path=path,
            query=query,
            tags=tags,
            is_unknown=is_unknown,
        )
    )
