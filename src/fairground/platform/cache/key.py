"""From a request to the canonical one and its key: two requests share a key exactly when they ask the same."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_origin
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fairground.platform.cache.policy import EVERYTHING, CachePolicy, NoParameters, life_tag

QUERY_MAX_BYTES: Final = 1_024
TEXT_MAX_CHARS: Final = 128  # cursors fit; what people type at such length is seldom typed twice
_VERSION: Final = "v2:list"
_SCOPE: Final = "anon"
_NO_PARTS: Final = NoParameters()
_TRACKING: Final = frozenset({"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref_src", "_ga"})


class NotCacheable(Exception):
    """The request is answered by the route itself, uncached; the message says why, for Cache-Status."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A canonical request: all that the answer may depend on."""

    key: str
    route: str
    tags: tuple[str, ...]
    path: str
    query_string: bytes
    fresh_seconds: float
    query: BaseModel
    """What the query string says."""
    is_unknown: bool = False
    """It names something that does not exist."""


class KeyMaker:
    """Makes the canonical requests of one route."""

    def __init__(self, policy: CachePolicy, *, shape: Any, path_format: str, fresh_seconds: float) -> None:
        """Make the keys of a route.

        Args:
            shape: The type of what it answers.
            path_format: Its whole path, with `{name}` where a part varies.
        """
        self.policy = policy
        self._path_format = path_format
        self._fresh_seconds = fresh_seconds
        self._prefix = f"{_VERSION}:{policy.route}:{schema_digest(shape, edition=policy.edition)}:{_SCOPE}"
        self._life_tag = life_tag(policy.life)
        self._names = {field.alias or name: _is_list(field) for name, field in policy.query.model_fields.items()}

    def read(self, parts: Mapping[str, str], query_string: bytes) -> Wanted:
        """Read the request.

        Raises:
            NotCacheable: It has parameters that the policy does not know, or values that it refuses.
        """
        try:
            path = self.policy.path.model_validate(parts) if parts else _NO_PARTS
            query = self.policy.query.model_validate(self._parameters(query_string))
        except ValidationError as error:
            raise NotCacheable("invalid") from error
        in_path = path.model_dump(mode="json") if parts else {}
        in_query = query.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if any(len(value) > TEXT_MAX_CHARS for value in in_query.values() if isinstance(value, str)):
            raise NotCacheable("long-text")
        parameters = vars(path) | vars(query)
        return Wanted(
            key=f"{self._prefix}:{_digest([in_path, in_query])}",
            route=self.policy.route,
            tags=(EVERYTHING, self._life_tag, *self.policy.tags(parameters)),
            path=self._path_format.format(**{name: quote(str(value), safe="") for name, value in in_path.items()}),
            query_string=_write_query(in_query),
            fresh_seconds=self._fresh_seconds,
            query=query,
            is_unknown=self.policy.is_unknown(parameters),
        )

    def _parameters(self, query_string: bytes) -> dict[str, str | list[str]]:
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
                # Of a parameter that occurs twice the last one counts, as for the route itself.
                given[name] = value
        return given


@cache
def schema_digest(shape: Any, *, edition: str = "") -> str:
    """Return eight characters that change with the shape of what a route answers.

    A deploy thereby never reads bytes of another shape, nor do old processes read the new ones.
    """
    schema = TypeAdapter(shape).json_schema(mode="serialization")
    return _digest([schema, edition] if edition else schema)[:8]


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def is_tracking(name: str) -> bool:
    """Return whether a query parameter is an advertiser's mark, which links carry and no route reads."""
    return name.startswith("utm_") or name in _TRACKING


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
