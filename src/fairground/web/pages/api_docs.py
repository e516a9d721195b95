"""The page /api/docs: /openapi.json for people, without scripts of others and without a network."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse

from fairground.platform.module import Links
from fairground.web.site import Site

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_REFERENCE: Final = "#/components/schemas/"

Document = Mapping[str, Any]


class Field(NamedTuple):
    name: str
    where: str
    """`path`, `query` or `body`."""
    kind: str
    is_required: bool


class Operation(NamedTuple):
    method: str
    path: str
    text: str
    fields: list[Field]
    answers: list[str]
    """The status codes that are described."""


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = APIRouter(include_in_schema=False)

    @router.get("/api/docs")
    async def show_api(request: Request) -> HTMLResponse:
        app: FastAPI = request.app
        return site.renderer.page(request, "api_docs/page.html", groups=group_operations(app.openapi()))

    return router


def group_operations(document: Document) -> dict[str, list[Operation]]:
    """Return the operations of an OpenAPI document by their first tag, in the document's order."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", [])), "")
                groups.setdefault(tag, []).append(_operation(document, method, path, item[method]))
    return groups


def _operation(document: Document, method: str, path: str, spec: Document) -> Operation:
    text = spec.get("description") or spec.get("summary") or ""
    fields = [*_parameters(spec), *_body(document, spec)]
    return Operation(method.upper(), path, text.split("\n\n")[0], fields, sorted(spec.get("responses", {})))


def _parameters(spec: Document) -> Iterator[Field]:
    for parameter in spec.get("parameters", []):
        if parameter["in"] in {"path", "query"}:
            kind = _kind(parameter.get("schema", {}))
            yield Field(parameter["name"], parameter["in"], kind, parameter.get("required", False))


def _body(document: Document, spec: Document) -> Iterator[Field]:
    content = spec.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "")
    schema = document.get("components", {}).get("schemas", {}).get(reference.removeprefix(_REFERENCE), {})
    for name, field in schema.get("properties", {}).items():
        yield Field(name, "body", _kind(field), name in schema.get("required", []))


def _kind(schema: Document) -> str:
    """Return the type of a value in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("type") or "value")
