"""What /openapi.json allows and what it forbids is sent to every operation: nothing breaks, all is as described."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from fairground.contracts.accounts import Role
from fairground.contracts.providers import BookingMode
from tests.support.databases import copy_of
from tests.support.market import GOOD_CARD, Market, open_market, post, start_of
from tests.support.proofs import IS_FULL, Dose
from tests.support.servers import Installation

pytestmark = pytest.mark.timeout(3000 if IS_FULL else 300)

Figures = Callable[[str, float, str], None]
CHECKS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


class Site:
    """A served market in which there is something of everything, and the names that its things have in paths."""

    def __init__(self, url: str, market: Market) -> None:
        self.url = url
        self.tokens = {
            Role.CUSTOMER: market.customer_tokens[0],
            Role.PROVIDER: market.provider_token,
            Role.ADMIN: market.admin_token,
        }
        self.service_id = str(market.services[BookingMode.REQUEST, 60])
        self.provider_id = str(market.provider_id)
        self.bookings: list[str] = []

    async def fill(self) -> None:
        """Make a booking that is held, one that is requested, and one that is confirmed."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            for number, steps in enumerate([[], ["pay"], ["pay", "accept"]]):
                body = {"service_id": self.service_id, "starts_at": start_of(number).isoformat()}
                answer = await post(client, "/bookings", token=self.tokens[Role.CUSTOMER], body=body)
                self.bookings.append(answer.json()["id"])
                for step in steps:
                    role = Role.CUSTOMER if step == "pay" else Role.PROVIDER
                    card = {"payment_method": GOOD_CARD} if step == "pay" else {}
                    path = f"/bookings/{self.bookings[-1]}/{step}"
                    (await post(client, path, token=self.tokens[role], body=card)).raise_for_status()

    def name_real_things(self, case: Case[Any], *, number: int) -> None:
        """Replace the ids that were made up by ids of things that there are."""
        booking_id = self.bookings[number % len(self.bookings)]
        real = {"provider_id": self.provider_id, "id_or_slug": self.provider_id, "service_id": self.service_id}
        real |= {"booking_id": booking_id, "starts_at": start_of(number).isoformat()}
        for place in (case.path_parameters, case.query, case.body):
            if isinstance(place, dict):
                place.update({name: value for name, value in real.items() if name in place})


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path) -> Iterator[Site]:
    data_dir = tmp_path / "data"
    installation = Installation(database_url=copy_of(sqlite_template, tmp_path), data_dir=data_dir)
    market = asyncio.run(open_market(installation, customers=1))
    with installation.serving() as server:
        site = Site(server.url, market)
        asyncio.run(site.fill())
        yield site


def examine(operation: APIOperation[Any, Any, Any, Any], site: Site, *, role: Role, examples: int) -> int:
    """Send so many requests that are as described, and as many that are not. Return how many were sent."""
    sent = 0
    with httpx.Client(base_url=site.url) as client:
        headers = {"Authorization": f"Bearer {site.tokens[role]}"}
        answer = client.post("/api/v1/me/tokens", json={"name": operation.label}, headers=headers)
        # Of its own, because some operations end the session that they are called by.
        token = answer.json()["token"]

    def send(case: Case[Any], number: int) -> None:
        nonlocal sent
        sent += 1
        if number:
            site.name_real_things(case, number=number)
        response = case.call(base_url=site.url, headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)

    for mode in GenerationMode:
        cases = operation.as_strategy(generation_mode=mode)
        limits = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=not IS_FULL,
            suppress_health_check=list(HealthCheck),
        )
        # Where everything is allowed, there is nothing to send that is not as described.
        with contextlib.suppress(Unsatisfiable) if mode.is_negative else contextlib.nullcontext():
            limits(given(case=cases, number=st.integers(0, 9))(send))()
    with httpx.Client(base_url=site.url, headers=headers) as client:
        # An account may have a hundred tokens, and there are more operations.
        for own in client.get("/api/v1/me/tokens").json()["data"]:
            if own["name"] == operation.label:
                client.delete(f"/api/v1/me/sessions/{own['id']}")
    return sent


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER, Role.ADMIN])
def test_every_operation_answers_as_described(site: Site, role: Role, dose: Dose, figure: Figures) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
    sent, operations, failures = 0, 0, []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        operations += 1
        try:
            sent += examine(operation, site, role=role, examples=dose(small=1, full=100))
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - one report for the failures of all operations
            failures.append(f"{operation.label}\n{failure!r}\n{failure}")
    assert not failures, "\n\n".join(failures)
    figure(f"operations examined as {role}", operations, "operations")
    figure(f"requests sent as {role}", sent, "requests")
