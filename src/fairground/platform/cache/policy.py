"""What a route says of its answers: what they depend on, how long they live. Without a policy nothing is cached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from fairground.platform.cache.settings import Life

EVERYTHING: Final = "everything"
"""The tag of every entry."""


def life_tag(life: Life) -> str:
    """Name every entry of a kind."""
    return f"life:{life}"


_ATTRIBUTE: Final = "__cache_policy__"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


class NoParameters(BaseModel):
    """The query, or path, of a route that takes nothing in it."""


def _nothing(_parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ()


def _never(_parameters: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """How the answers of one public route are cached.

    The answer may depend on the parameters alone: it is computed from them, without the request's headers.
    """

    route: str
    """Names the route in keys, tags and figures: short ASCII, never the same twice."""
    life: Life
    query: type[BaseModel] = NoParameters
    """Reads the query. Its fields are the only parameters that may occur in a cached request."""
    path: type[BaseModel] = NoParameters
    """Reads the parts of the path; what it refuses is left to the route, uncached."""
    edition: str = ""
    """Changes with what answers look like beyond their response model, as a page does with its templates."""
    tags: Callable[[Mapping[str, Any]], tuple[str, ...]] = _nothing
    """From the parameters of path and query, as read, to the names of what the answer depends on."""
    is_unknown: Callable[[Mapping[str, Any]], bool] = _never
    """From the same parameters to whether they name something that does not exist. Such an answer, found or not, lives
    as briefly as a 404: anyone can invent such names."""


def cached(policy: CachePolicy) -> Callable[[_Endpoint], _Endpoint]:
    """Declare the policy of a route. The decorator stands below the router's."""

    def declare(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _ATTRIBUTE, policy)
        return endpoint

    return declare


def policy_of(endpoint: Callable[..., Any]) -> CachePolicy | None:
    return getattr(endpoint, _ATTRIBUTE, None)
