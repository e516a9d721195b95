"""The API's description as it is served: names, texts and examples of every operation."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from fairground.entrypoints.compose import compose
from fairground.entrypoints.environment import load_settings

Operation = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = load_settings().model_copy(update={"data_dir": tmp_path_factory.mktemp("data")})
    app = compose(settings).build_app()

    async def fetch() -> dict[str, Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.address) as client:
            described: dict[str, Any] = (await client.get("/openapi.json")).json()
            return described

    return asyncio.run(fetch())


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_names_of_operations_are_unique(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_operation_is_described_in_a_sentence(document: dict[str, Any]) -> None:
    assert [name for name, operation in operations(document) if not operation.get("description")] == []


def test_every_json_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    wrong = []
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (body.get("content", {}).get("application/json") for body in bodies):
            if not content or not content.get("schema"):
                continue
            validator = Draft202012Validator({**content["schema"], "components": document["components"]})
            errors = validator.iter_errors(content["example"])
            wrong += [f"{name}: {error.instance_path} {error.message}" for error in errors]
    assert wrong == []


def test_operations_of_the_signed_in_say_so(document: dict[str, Any]) -> None:
    by_name = dict(operations(document))
    assert by_name["GET /api/v1/me"]["security"] == [{"token": []}, {"session": []}]
    assert "401" in by_name["GET /api/v1/me"]["responses"]
    assert by_name["GET /api/v1/search"]["security"] == []
