"""Every page and route of staff is for staff alone."""

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from fairground.contracts.accounts import Role
from fairground.entrypoints.compose import Program
from fairground.kernel.ids import uuid7
from fairground.platform.http.app import API_PREFIX
from tests.support.marketplace import Market

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def _routes(routers: list[APIRouter], prefix: str) -> Iterator[tuple[str, str]]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and re.match(r"(/_f)?/admin(/|$)", route.path):
                # Of the words in a path, all but the subject of a migration are ids.
                path = route.path.replace("{subject}", "profile-images")
                for method in sorted(route.methods or ()):
                    yield method, prefix + re.sub(r"\{[^}]+\}", str(uuid7()), path)


def admin_routes(program: Program) -> list[tuple[str, str]]:
    return [*_routes(list(program.pages), ""), *_routes(program.api, API_PREFIX)]


async def test_there_are_pages_and_routes_of_staff(market: Market) -> None:
    routes = admin_routes(market.program)
    assert ("GET", "/admin") in routes
    assert ("GET", f"{API_PREFIX}/admin/bookings") in routes


async def test_visitors_are_led_to_sign_in_and_programs_refused(market: Market) -> None:
    reader = market.reader()
    for method, path in admin_routes(market.program):
        answer = await reader.request(method, path)
        if path.startswith(API_PREFIX):
            assert answer.status_code == 401, (method, path)
        else:
            led = answer.headers.get("location", answer.headers.get("hx-redirect", ""))
            assert led.startswith("/login"), (method, path, answer.status_code)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
async def test_other_accounts_are_refused(market: Market, role: Role) -> None:
    reader = await market.user("nora@example.org", role=role, name="Nora")
    for method, path in admin_routes(market.program):
        answer = await reader.request(method, path)
        assert answer.status_code == 403, (method, path, answer.status_code)
        assert "Sign in first" not in answer.text


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN])
async def test_staff_are_let_in(market: Market, role: Role) -> None:
    reader = await market.user("ada@example.org", role=role, name="Ada")
    for method, path in admin_routes(market.program):
        answer = await reader.request(method, path)
        assert answer.status_code not in {401, 403}, (method, path, answer.text[:300])
        assert answer.status_code < 500, (method, path, answer.text[:300])
        if answer.status_code == 200 and not path.startswith(API_PREFIX):
            assert answer.headers["cache-control"] == "private, no-store", path


async def test_pages_of_staff_are_not_indexed(market: Market) -> None:
    reader = await market.user("ada@example.org", role=Role.STAFF, name="Ada")
    for path in ("/admin", "/admin/accounts", "/admin/bookings", "/admin/payments", "/admin/jobs", "/admin/mail"):
        await reader.open(path)
        assert '<meta name="robots" content="noindex">' in reader.answer.text, path
