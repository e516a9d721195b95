"""The page /api/docs: /openapi.json for people, with a search, without scripts of others and without a network."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse

from fairground.kernel.folding import fold
from fairground.platform.module import Links
from fairground.web.site import Site

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_REFERENCE: Final = "#/components/schemas/"
_JSON: Final = "application/json"
_FIRST_ERROR: Final = "4"
_QUERY_MAX_LENGTH: Final = 100

Document = Mapping[str, Any]


class Field(NamedTuple):
    name: str
    where: str
    """`path`, `query` or `body`."""
    kind: str
    is_required: bool
    text: str


class Response(NamedTuple):
    status: str
    codes: list[str]
    """Of the problem documents with this status; none of a success."""
    example: str
    """JSON, or nothing."""


class Operation(NamedTuple):
    name: str
    """Unique; the anchor on the page."""
    method: str
    path: str
    summary: str
    text: str
    access: str
    """`required`, `optional` or `public`."""
    fields: list[Field]
    request: str
    """An example as a command line."""
    responses: list[Response]

    def has_words(self, words: list[str]) -> bool:
        said = fold(f"{self.method} {self.path} {self.name} {self.summary} {self.text}")
        fields = fold(" ".join(field.name for field in self.fields))
        codes = fold(" ".join(code for response in self.responses for code in response.codes))
        return all(word in said or word in fields or word in codes for word in words)


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = APIRouter(include_in_schema=False)

    @lru_cache(maxsize=1)
    def load_groups(app: FastAPI) -> dict[str, list[Operation]]:
        return group_operations(app.openapi())

    @router.get("/api/docs")
    async def show_api(request: Request, q: str = "") -> HTMLResponse:
        query = q[:_QUERY_MAX_LENGTH]
        groups = load_groups(request.app)
        return site.renderer.page(
            request, "api_docs/page.html", groups=find_operations(groups, query), query=query, titles=list(groups)
        )

    return router


def find_operations(groups: dict[str, list[Operation]], query: str) -> dict[str, list[Operation]]:
    """Return the operations that have every word of the query, without groups that have none."""
    words = fold(query).split()
    found = {tag: [each for each in group if each.has_words(words)] for tag, group in groups.items()}
    return {tag: group for tag, group in found.items() if group}


def group_operations(document: Document) -> dict[str, list[Operation]]:
    """Return the operations of an OpenAPI document by their first tag, in the document's order."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", [])), "")
                groups.setdefault(tag, []).append(_operation(document, method.upper(), path, item[method]))
    return groups


def _operation(document: Document, method: str, path: str, spec: Document) -> Operation:
    security = spec.get("security", [])
    return Operation(
        name=spec.get("operationId", ""),
        method=method,
        path=path,
        summary=spec.get("summary", ""),
        text=spec.get("description", "").replace("`", ""),
        access="public" if not security else "optional" if {} in security else "required",
        fields=[*_parameters(spec), *_body(document, spec)],
        request=_command_line(document, method, path, spec, has_token=bool(security)),
        responses=[_response(status, each) for status, each in sorted(spec.get("responses", {}).items())],
    )


def _parameters(spec: Document) -> Iterator[Field]:
    for parameter in spec.get("parameters", []):
        if parameter["in"] in {"path", "query"}:
            schema = parameter.get("schema", {})
            text = parameter.get("description") or schema.get("description") or ""
            yield Field(parameter["name"], parameter["in"], _kind(schema), parameter.get("required", False), text)


def _body(document: Document, spec: Document) -> Iterator[Field]:
    content = spec.get("requestBody", {}).get("content", {}).get(_JSON, {})
    reference = content.get("schema", {}).get("$ref", "")
    schema = document.get("components", {}).get("schemas", {}).get(reference.removeprefix(_REFERENCE), {})
    for name, field in schema.get("properties", {}).items():
        is_required = name in schema.get("required", [])
        yield Field(name, "body", _kind(field), is_required, field.get("description", ""))


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


def _command_line(document: Document, method: str, path: str, spec: Document, *, has_token: bool) -> str:
    """Return a call of the operation with curl, with the examples of its path and its body."""
    for parameter in spec.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example", parameter["name"])))
    server = document.get("servers", [{"url": ""}])[0]["url"]
    parts = [f"curl {server}{path}" if method == "GET" else f"curl -X {method} {server}{path}"]
    parts += ['-H "Authorization: Bearer $TOKEN"'] if has_token else []
    body = spec.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("example")
    if body is not None:
        written = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''")
        parts += ['-H "Content-Type: application/json"', f"-d '{written}'"]
    return " \\\n  ".join(parts)


def _response(status: str, spec: Document) -> Response:
    contents = spec.get("content", {})
    example = contents.get(_JSON, {}).get("example") if status < _FIRST_ERROR else None
    written = "" if example is None else json.dumps(example, ensure_ascii=False, indent=2)
    codes = [code for content in contents.values() for code in content.get("examples", {})]
    return Response(status, codes, written)
