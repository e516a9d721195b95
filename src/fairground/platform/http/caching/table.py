"""Which paths are answered from the cache: the routes that declare a policy, compiled once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import Pattern

from fastapi.routing import APIRoute

from fairground.platform.cache.key import KeyMaker
from fairground.platform.cache.policy import policy_of
from fairground.platform.cache.settings import CacheSettings


@dataclass(frozen=True, slots=True)
class CachedRoute:
    pattern: Pattern[str]
    keys: KeyMaker


class CacheTable:
    """The cached routes by path."""

    def __init__(self, routes: Iterable[tuple[str, APIRoute]], settings: CacheSettings) -> None:
        """Take the routes, each with its whole path; those without a policy are passed over.

        Raises:
            ValueError: Two policies have the same name, or one belongs to a route that changes something.
        """
        self.routes: list[CachedRoute] = []
        self._by_path: dict[str, CachedRoute] = {}
        for path, route in routes:
            policy = policy_of(route.endpoint)
            if policy is None:
                continue
            if route.methods != {"GET"}:
                raise ValueError(f"{path} has a cache policy, which is for GET alone.")
            self._add(
                path.rstrip("/"),
                KeyMaker(
                    policy,
                    shape=route.response_model,
                    path_format=path,
                    fresh_seconds=settings.seconds_of(policy.life),
                ),
            )

    def _add(self, path: str, keys: KeyMaker) -> None:
        if any(route.keys.policy.route == keys.policy.route for route in self.routes):
            raise ValueError(f"Two routes have the cache policy {keys.policy.route!r}; each needs a name of its own.")
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
        route = CachedRoute(re.compile(pattern), keys)
        self.routes.append(route)
        if "{" not in path:
            self._by_path[path] = route

    def find(self, path: str) -> tuple[CachedRoute, dict[str, str]] | None:
        """Return the route of a path and the parts that vary in it."""
        path = path.rstrip("/")
        exact = self._by_path.get(path)
        if exact is not None:
            return exact, {}
        for route in self.routes:
            if match := route.pattern.fullmatch(path):
                return route, match.groupdict()
        return None
