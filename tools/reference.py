"""Writes docs/reference as the code says it: settings, problem codes, topics, packs, metrics (`make reference`)."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel

import fairground
from fairground.entrypoints.compose import compose
from fairground.entrypoints.environment import render_example, render_settings
from fairground.entrypoints.server import metrics_of
from fairground.entrypoints.settings import Settings
from fairground.kernel import errors
from fairground.kernel.errors import DomainError
from fairground.kernel.messages import Event, Job, Message, Priority
from fairground.platform.http.problems import status_of
from fairground.platform.module import Module
from fairground.verticals.schema import Vertical

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
EXAMPLE: Final = FOLDER.parent.parent / ".env.example"
# Raised before or beside the domain, by the HTTP surface itself (platform/http/problems.py and security.py).
SURFACE_CODES: Final = (
    ("internal_error", 500, "A mistake of the program; its log holds the rest."),
    ("request.coding_refused", 406, "Accept-Encoding refuses every coding, the plain body included."),
    ("request.cross_site", 403, "The request comes from a page of another site."),
    ("request.head_too_large", 431, "Address and headers, or trailers, are larger than 64 KiB."),
    ("request.invalid", 422, "A field is missing, unknown or of the wrong type; `errors` names each."),
    ("request.malformed", 400, "The request is not HTTP/1.1 as RFC 9112 defines it, such as one with two Host fields."),
    ("request.method_not_allowed", 405, "The path is there, but does not take this method."),
    ("request.not_found", 404, "There is nothing at this path."),
    ("request.refused", 400, "The framework refused the request; the status may be another one of 400 to 499."),
    ("request.timeout", 408, "The head or the body did not come in time."),
    ("request.too_large", 413, "The body is larger than 1 MiB."),
    ("request.transfer_coding_unknown", 501, "The body has another Transfer-Encoding than chunked."),
    ("request.version_not_supported", 505, "The request is in another version of HTTP than 1.1 and 1.0."),
    ("request.wrong_host", 421, "The Host header is not the one of `FAIRGROUND_PUBLIC_URL`."),
    ("server.too_many_connections", 503, "The server has too many connections; or, with 429, the client has."),
)

_Class = TypeVar("_Class")


def import_everything() -> None:
    """Load every part of the program, for a class is known only once its file was read."""
    for module in pkgutil.walk_packages(fairground.__path__, "fairground."):
        importlib.import_module(module.name)


def _subclasses(base: type[_Class]) -> Iterator[type[_Class]]:
    for child in base.__subclasses__():
        yield child
        yield from _subclasses(child)


def list_errors() -> list[type[DomainError]]:
    """Return every kind of problem, by code, without the kernel's own kinds: those only give others their status."""
    found = {kind for kind in _subclasses(DomainError) if "code" in vars(kind) and _is_ours(kind)}
    return sorted((kind for kind in found if kind.__module__ != errors.__name__), key=lambda kind: kind.code)


def list_messages(base: type[Message]) -> list[type[Message]]:
    found = {kind for kind in _subclasses(base) if "topic" in vars(kind) and _is_ours(kind)}
    return sorted(found, key=lambda kind: kind.topic)


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("fairground.")


def _meaning(kind: type) -> str:
    """Return the first paragraph of a class's own docstring, or what its name says."""
    text = inspect.cleandoc(vars(kind).get("__doc__") or "").split("\n\n")[0]
    # The second place ends a word of one letter, as in NotAProvider.
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", kind.__name__)
    return " ".join(text.split()) or f"{words.capitalize()}."


def _span(every: timedelta) -> str:
    minutes = round(every.total_seconds() / 60)
    return f"every {minutes // 60} h" if minutes % 60 == 0 else f"every {minutes} min"


def render_errors() -> str:
    lines = [
        "# Problem codes",
        "",
        "Every refusal of the API is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`,",
        "`status`, `detail`, `code`, and mostly a `hint` that says what to do. Build on `code`: codes are added,",
        "never renamed. `detail` is for people and may change. `make reference` writes this page from the code.",
        "",
        "| code | status | meaning | hint |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{code}` | {status} | {meaning} | |" for code, status, meaning in SURFACE_CODES]
    for kind in list_errors():
        status = status_of(kind.__new__(kind)).value
        lines.append(f"| `{kind.code}` | {status} | {_meaning(kind)} | {kind.hint} |")
    return "\n".join(lines) + "\n"


def render_topics(modules: Mapping[str, Module]) -> str:
    handled_by = {
        kind: {module.name: module.queue or kind.queue for module in modules.values() if kind in module.handlers}
        for kind in (*list_messages(Event), *list_messages(Job))
    }
    every = {type(entry.job): entry.every for module in modules.values() for entry in module.schedules}
    lines = [
        "# Events and jobs",
        "",
        "Both are written in the transaction of the change that they follow from, and delivered at least once. An",
        "event is a fact that any part may handle; a job is work that a part enqueues for itself. A topic is never",
        "renamed and its fields are only added to; what cannot be said so becomes `.v2`. Each queue has its own",
        "concurrency, and in a queue the messages of a high priority go first. `make reference` writes this page",
        "from the code.",
        "",
        "## Events",
        "",
        "| topic | handled by (in the queue) | priority | fields | meaning |",
        "|---|---|---|---|---|",
    ]
    for event in list_messages(Event):
        consumers = [f"{name} ({queue})" for name, queue in handled_by[event].items()]
        lines.append(_row(event, ", ".join(consumers) or "none yet"))
    lines += [
        "",
        "## Jobs",
        "",
        "| topic | enqueued | queue | priority | fields | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for job in list_messages(Job):
        when = _span(every[job]) if job in every else "as needed"
        lines.append(_row(job, f"{when} | {', '.join(handled_by[job].values())}"))
    return "\n".join(lines) + "\n"


def _row(kind: type[Message], middle: str) -> str:
    fields = ", ".join(f"`{name}`" for name in kind.model_fields)
    priority = "high" if kind.priority is Priority.HIGH else ""
    return f"| `{kind.topic}` | {middle} | {priority} | {fields} | {_meaning(kind)} |"


def render_topics_of_this_program() -> str:
    modules = compose(Settings(), is_secondary=True).modules
    return render_topics({module.name: module for module in modules})


def render_packs() -> str:
    lines = [
        "# Vertical packs",
        "",
        "A pack is one TOML file that describes a vertical. [The guide](../guides/write-a-vertical.md) writes one. A",
        "field that this page does not know is refused at the start. `make reference` writes this page from the code.",
        "",
        "| field | must | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{path}` | {'yes' if must else 'no'} | {text} |" for path, must, text in _pack_fields(Vertical)]
    return "\n".join(lines) + "\n"


def _pack_fields(table: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool, str]]:
    for name, field in table.model_fields.items():
        inner = _table_in(field.annotation)
        listed = "[]" if inner is not None and get_origin(field.annotation) is tuple else ""
        yield f"{prefix}{name}{listed}", field.is_required(), field.description or ""
        if inner is not None:
            yield from _pack_fields(inner, f"{prefix}{name}{listed}.")


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """Return the table that a field is, holds a list of, or may be."""
    candidates = (annotation, *get_args(annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def render_metrics() -> str:
    lines = [
        "# Metrics",
        "",
        "What Prometheus reads of each process at `FAIRGROUND_METRICS_PORT` ([how](../guides/run-it.md#watch-it)),",
        "beside the `process_…` and `python_…` figures of its library. A histogram has `_bucket`, `_sum` and",
        "`_count`; its durations are in seconds. `make reference` writes this page from the code.",
        "",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for metric in metrics_of(compose(Settings(), is_secondary=True)).collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = ", ".join(f"`{label}`" for label in getattr(metric, "_labelnames"))  # noqa: B009 - theirs is private
        lines.append(f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": render_settings,
    "errors.md": render_errors,
    "topics.md": render_topics_of_this_program,
    "verticals.md": render_packs,
    "metrics.md": render_metrics,
}


def main() -> None:
    import_everything()
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")
    EXAMPLE.write_text(render_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
