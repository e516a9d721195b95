"""The cached routes: from the path and query of a request to the canonical request and its key.

Two requests share a key exactly when their parsed parameters are the same.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, get_origin
from urllib.parse import parse_qsl, quote, urlencode

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fairground.platform.cache.policy import (
    EVERYTHING,
    CachePolicy,
    CacheRequest,
    NoParameters,
    life_tag,
    policy_of,
)
from fairground.platform.cache.settings import CacheSettings

QUERY_MAX_BYTES: Final = 1_024
TEXT_MAX_CHARS: Final = 128  # cursors fit; a longer text is seldom typed twice
_VERSION: Final = "v2:list"
_SCOPE: Final = "anon"
_NO_PARTS: Final = NoParameters()
_TRACKING: Final = frozenset({"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref_src", "_ga"})


class NotCacheable(Exception):
    """The route itself answers the request, uncached; the message is the reason, for Cache-Status."""


class CachedRoute:
    """One route with a policy; parses its requests."""

    def __init__(self, policy: CachePolicy, *, shape: Any, path_format: str, fresh_seconds: float) -> None:
        """Prepare the route.

        Args:
            shape: The type of its responses.
            path_format: Its whole path, with `{name}` for each variable part.
        """
        self.policy = policy
        self.pattern = _compile_path(path_format.rstrip("/"))
        self._path_format = path_format
        self._fresh_seconds = fresh_seconds
        self._prefix = f"{_VERSION}:{policy.route}:{schema_digest(shape, edition=policy.edition)}:{_SCOPE}"
        self._life_tag = life_tag(policy.life)
        self._names = {field.alias or name: _is_list(field) for name, field in policy.query.model_fields.items()}

    def parse(self, parts: Mapping[str, str], query_string: bytes) -> CacheRequest:
        """Return the canonical request.

        Raises:
            NotCacheable: It has parameters that the policy does not know, or values that it refuses.
        """
        try:
            path = self.policy.path.model_validate(parts) if parts else _NO_PARTS
            query = self.policy.query.model_validate(self._parse_query(query_string))
        except ValidationError as error:
            raise NotCacheable("invalid") from error
        in_path = path.model_dump(mode="json") if parts else {}
        in_query = query.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if any(len(value) > TEXT_MAX_CHARS for value in in_query.values() if isinstance(value, str)):
            raise NotCacheable("long-text")
        parameters = vars(path) | vars(query)
        return CacheRequest(
            key=f"{self._prefix}:{_digest([in_path, in_query])}",
            route=self.policy.route,
            tags=(EVERYTHING, self._life_tag, *self.policy.tags(parameters)),
            path=self._path_format.format(**{name: quote(str(value), safe="") for name, value in in_path.items()}),
            query_string=_write_query(in_query),
            fresh_seconds=self._fresh_seconds,
            query=query,
            is_unknown=self.policy.is_unknown(parameters),
        )

    def _parse_query(self, query_string: bytes) -> dict[str, str | list[str]]:
        if len(query_string) > QUERY_MAX_BYTES:
            raise NotCacheable("long-query")
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError as error:
            raise NotCacheable("not-utf-8") from error
        given: dict[str, str | list[str]] = {}
        for name, value in pairs:
            if is_tracking(name):
                continue
            if name not in self._names:
                raise NotCacheable("unknown-parameter")
            if self._names[name]:
                given[name] = [*given.get(name, ()), value]
            else:
                # The last value of a repeated parameter counts, as in the route itself.
                given[name] = value
        return given


class CachedRoutes:
    """The cached routes by path."""

    def __init__(self, routes: Iterable[tuple[str, APIRoute]], settings: CacheSettings) -> None:
        """Take the routes, each with its whole path, and leave out those without a policy.

        Raises:
            ValueError: Two policies have the same name, or the route of one has a method other than GET.
        """
        self.routes: list[CachedRoute] = []
        self._by_path: dict[str, CachedRoute] = {}
        for path, route in routes:
            policy = policy_of(route.endpoint)
            if policy is None:
                continue
            if route.methods != {"GET"}:
                raise ValueError(f"{path} has a cache policy, which is for GET alone.")
            fresh_seconds = settings.seconds_of(policy.life)
            self._add(
                CachedRoute(policy, shape=route.response_model, path_format=path, fresh_seconds=fresh_seconds),
                path=path.rstrip("/"),
            )

    def _add(self, route: CachedRoute, *, path: str) -> None:
        name = route.policy.route
        if any(other.policy.route == name for other in self.routes):
            raise ValueError(f"Two routes have the cache policy {name!r}; each needs a name of its own.")
        self.routes.append(route)
        if "{" not in path:
            self._by_path[path] = route

    def find(self, path: str) -> tuple[CachedRoute, dict[str, str]] | None:
        """Return the route of a path, and the variable parts of the path by name."""
        path = path.rstrip("/")
        exact = self._by_path.get(path)
        if exact is not None:
            return exact, {}
        for route in self.routes:
            if match := route.pattern.fullmatch(path):
                return route, match.groupdict()
        return None


@cache
def schema_digest(shape: Any, *, edition: str = "") -> str:
    """Return eight characters that change with the schema of a route's responses.

    So a new deployment never reads responses of another schema, nor do old processes read the new ones.
    """
    schema = TypeAdapter(shape).json_schema(mode="serialization")
    return _digest([schema, edition] if edition else schema)[:8]


def is_tracking(name: str) -> bool:
    """Return whether a query parameter is an advertiser's, which links contain and no route reads."""
    return name.startswith("utm_") or name in _TRACKING


def _compile_path(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
    )


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def _digest(value: Any) -> str:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(written.encode(), digest_size=16).hexdigest()


def _write_query(parameters: Mapping[str, Any]) -> bytes:
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, given in sorted(parameters.items())
        for value in (given if isinstance(given, list) else [given])
        if value is not None
    ]
    return urlencode(pairs).encode()
