"""Every changing route declares the tags that it invalidates, and cached routes do not depend on the caller.

`tests/entrypoints/test_write_then_read.py` calls the routes and compares.
"""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.platform.cache.policy import policy_of
from fairground.platform.http import identity
from fairground.platform.http.app import API_PREFIX, list_routes
from tests.support.cache_tags import INVALIDATED_BY, NOTHING


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return compose(Settings(data_dir=tmp_path_factory.mktemp("data")), is_secondary=True)


def routes(program: Program) -> Iterator[tuple[str, APIRoute]]:
    for prefix, routers in ((API_PREFIX, program.api), ("", program.pages)):
        for router in routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    yield f"{prefix}{route.path}", route


def test_every_changing_route_declares_its_tags(program: Program) -> None:
    listed = list_routes(program.api, program.pages)
    changing = {f"{method} {path}" for path, methods in listed for method in {*methods} - {"GET", "HEAD", "OPTIONS"}}
    assert sorted(changing - INVALIDATED_BY.keys()) == [], "List their tags in tests/support/cache_tags.py, or NOTHING."
    assert sorted(INVALIDATED_BY.keys() - changing) == []


def test_routes_without_cached_data_declare_no_tags() -> None:
    assert frozenset() == NOTHING
    assert all(isinstance(kinds, frozenset) for kinds in INVALIDATED_BY.values())


def test_cached_routes_have_no_dependency_on_the_caller(program: Program) -> None:
    cached = {path: route for path, route in routes(program) if policy_of(route.endpoint) is not None}
    assert len(cached) >= 10
    knowing = {identity.find_caller, identity.get_caller, identity.get_staff}
    assert [path for path, route in cached.items() if knowing & set(_calls(route.dependant))] == []


def test_control_cached_route_with_a_caller_is_noticed(program: Program) -> None:
    known = {path for path, route in routes(program) if identity.find_caller in set(_calls(route.dependant))}
    assert f"{API_PREFIX}/service-provider-profiles/{{provider_id}}/services" in known


def test_every_public_list_and_detail_is_cached(program: Program) -> None:
    cached = {path for path, route in routes(program) if policy_of(route.endpoint) is not None}
    below = f"{API_PREFIX}/service-provider-profiles/"
    assert {
        below,
        f"{below}{{id_or_slug}}",
        f"{below}{{id_or_slug}}/availability",
        f"{below}{{id_or_slug}}/gallery",
        f"{below}{{id_or_slug}}/reviews",
        *(f"{API_PREFIX}/{word}" for word in ("artists", "chefs", "tutors", "verticals", "categories", "subjects")),
        f"{API_PREFIX}/price-distribution",
    } <= cached


def test_lists_of_providers_and_nothing_else_are_dispatched_directly(program: Program) -> None:
    policies = {path: policy_of(route.endpoint) for path, route in routes(program)}
    direct = {path for path, policy in policies.items() if policy is not None and policy.is_direct}
    packs = {f"{API_PREFIX}/{vertical}" for vertical in ("artists", "chefs", "tutors")}
    assert direct == {f"{API_PREFIX}/service-provider-profiles/", *packs}


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)
