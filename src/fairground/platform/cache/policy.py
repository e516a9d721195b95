"""The cache policy of a route, a request as the cache sees it, and the responses that may be stored.

A route without a policy is not cached.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from fairground.platform.cache.settings import Life

ENTRY_MAX_BYTES: Final = 256 * 1024  # larger bodies are not stored: compressing one would delay all other requests
EVERYTHING: Final = "everything"
"""The tag of every entry."""


def life_tag(life: Life) -> str:
    """Return the tag of every entry of a kind."""
    return f"life:{life}"


Headers = tuple[tuple[bytes, bytes], ...]
_ATTRIBUTE: Final = "__cache_policy__"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


class NoParameters(BaseModel):
    """The query, or path, of a route that has no parameters in it."""


def _no_tags(_parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ()


def _never(_parameters: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """How the responses of one public route are cached.

    The response may depend on the parameters alone: it is computed from them, without the request's headers.
    """

    route: str
    """Names the route in keys, tags and figures: short ASCII, unique."""
    life: Life
    query: type[BaseModel] = NoParameters
    """Parses the query. Its fields are the only parameters that may occur in a cached request."""
    path: type[BaseModel] = NoParameters
    """Parses the variable parts of the path; a request that it refuses goes to the route, uncached."""
    edition: str = ""
    """Changes with the form of the responses beyond their response model, as for a page with its templates."""
    tags: Callable[[Mapping[str, Any]], tuple[str, ...]] = _no_tags
    """Returns, for the parsed parameters of path and query, the tags of what the response depends on."""
    is_unknown: Callable[[Mapping[str, Any]], bool] = _never
    """Returns whether the same parameters name something that does not exist. Such a response, found or not, expires
    as early as a 404: anyone can invent such names."""
    is_direct: bool = False
    """Whether a miss calls the endpoint itself, without the framework. The endpoint takes `query` alone, returns a
    `Response`, and has no dependencies; the application refuses to start otherwise."""


def cached(policy: CachePolicy) -> Callable[[_Endpoint], _Endpoint]:
    """Declare the policy of a route. The decorator is placed below the router's."""

    def declare(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _ATTRIBUTE, policy)
        return endpoint

    return declare


def policy_of(endpoint: Callable[..., Any]) -> CachePolicy | None:
    return getattr(endpoint, _ATTRIBUTE, None)


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """A canonical request: everything that the response may depend on."""

    key: str
    route: str
    tags: tuple[str, ...]
    path: str
    query_string: bytes
    fresh_seconds: float
    query: BaseModel
    """The parsed query string."""
    is_unknown: bool = False
    """It names something that does not exist."""


@dataclass(frozen=True, slots=True)
class ComputedResponse:
    """The response of a route to a canonical request."""

    status: int
    headers: Headers
    body: bytes

    @property
    def is_storable(self) -> bool:
        """Whether it may be served to other requests: found or not found, without a cookie, public, not too large."""
        names = {name for name, _ in self.headers}
        if self.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND) or b"set-cookie" in names:
            return False
        if len(self.body) > ENTRY_MAX_BYTES:
            return False
        values = dict(self.headers)
        is_shared = not any(word in values.get(b"cache-control", b"") for word in (b"private", b"no-store"))
        return is_shared and values.get(b"vary", b"accept-encoding").lower() == b"accept-encoding"
