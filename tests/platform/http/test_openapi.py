"""The OpenAPI document: sign-in, server, an example of each body, and the codes of refusals."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from fairground.kernel.errors import Conflict
from fairground.platform.http.identity import SignedIn, Staff, Visitor
from fairground.platform.http.openapi import describe, refuses
from fairground.platform.http.openapi_examples import example_of
from fairground.platform.http.routing import api_router


class Taken(Conflict):
    code = "things.taken"
    hint = "Choose another one."


@pytest.fixture
def operations() -> dict[str, Any]:
    router = api_router(tags=["things"])

    @router.post("/things")
    @refuses(Taken)
    async def add_thing(caller: SignedIn, name: str) -> dict[str, int]:  # noqa: ARG001
        """Add a thing. It stays.

        Not more than one.
        """
        return {}

    @router.get("/things")
    async def list_things(visitor: Visitor) -> list[int]:  # noqa: ARG001
        return []

    @router.delete("/things")
    async def delete_things(caller: Staff) -> None: ...

    app = FastAPI()
    app.include_router(router)
    routes = [(route.path, route) for route in router.routes if isinstance(route, APIRoute)]
    document = describe(app.openapi(), routes=routes, public_url="https://fair.example")
    assert document["servers"] == [{"url": "https://fair.example"}]
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    assert document["components"]["examples"]["things.taken"]["value"]["hint"] == "Choose another one."
    found: dict[str, Any] = document["paths"]["/things"]
    return found


def test_first_sentence_of_the_docstring_is_the_summary(operations: dict[str, Any]) -> None:
    assert operations["post"]["summary"] == "Add a thing"
    assert operations["get"]["summary"] == "List things"


def test_security_follows_from_the_dependencies(operations: dict[str, Any]) -> None:
    assert operations["post"]["security"] == [{"token": []}, {"session": []}]
    assert operations["get"]["security"] == [{}, {"token": []}, {"session": []}]


def test_every_code_is_listed_at_its_status(operations: dict[str, Any]) -> None:
    def codes(method: str) -> dict[str, list[str]]:
        responses = operations[method]["responses"]
        return {
            status: list(response["content"]["application/problem+json"]["examples"])
            for status, response in responses.items()
            if status.isdigit() and status >= "4"
        }

    assert codes("post")["409"] == ["things.taken", "idempotency.in_flight", "idempotency.outcome_unknown"]
    assert codes("delete")["403"] == ["identity.staff_only"]
    assert codes("get") == {
        "422": ["request.invalid", "request.unknown_parameter"],
        "503": ["database.unavailable"],
    }


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": 0}, 0),
        ({"type": "string", "format": "uuid"}, "0199a3c2-7d10-7c4e-9b1f-3f6f2f9f4a11"),
        ({"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]}, "a"),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"$ref": "#/components/schemas/Node"}, {"price_minor": 8000, "next": {"price_minor": 8000, "next": None}}),
    ],
)
def test_example_has_the_type_of_its_schema(schema: dict[str, Any], example: object) -> None:
    node = {
        "type": "object",
        "properties": {
            "price_minor": {"type": "integer"},
            "next": {"anyOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
        },
    }
    made = example_of({"components": {"schemas": {"Node": node}}}, schema)
    if schema.get("$ref"):
        depth = 0
        while made["next"] is not None:
            assert made["price_minor"] == example["price_minor"]  # type: ignore[index]
            made, depth = made["next"], depth + 1
        assert 1 <= depth < 10  # a schema that contains itself ends
    else:
        assert made == example
