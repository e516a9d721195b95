"""The caching of public pages: one copy for all readers, until one of its tags is invalidated."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from fairground.platform.cache.policy import CachePolicy, NoParameters, cached
from fairground.platform.cache.settings import Life
from fairground.web.rendering import Renderer

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def cached_page(
    renderer: Renderer,
    name: str,
    *,
    tags: Callable[[Mapping[str, Any]], tuple[str, ...]],
    path: type[BaseModel] = NoParameters,
    query: type[BaseModel] = NoParameters,
    is_unknown: Callable[[Mapping[str, Any]], bool] = lambda _asked: False,
) -> Callable[[_Endpoint], _Endpoint]:
    """Declare that a page, or a part of one, is the same for all readers. Place it below the router's decorator.

    Args:
        name: The name of the page in keys and metrics.
        tags: Returns the tags of the page from the parameters of path and query.
        is_unknown: Returns from the same parameters whether they name something that does not exist; see `CachePolicy`.
    """
    return cached(
        CachePolicy(
            route=f"page-{name}",
            life=Life.PAGES,
            edition=renderer.edition,
            path=path,
            query=query,
            tags=tags,
            is_unknown=is_unknown,
        )
    )
