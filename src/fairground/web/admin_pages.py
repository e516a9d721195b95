"""What all pages of staff have in common: their frame, the question before an action, and the way to a next page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from fairground.contracts.imports import EmbeddedPictures, PictureSubject
from fairground.platform.http.identity import Caller
from fairground.platform.module import Links
from fairground.web.forms import Form
from fairground.web.page_cache import UNSTORED
from fairground.web.rendering import Renderer
from fairground.web.site import Site

PAGE_LENGTH: Final = 50


@dataclass(frozen=True, kw_only=True)
class Question:
    """The question before an action: what it does, and the fields that it needs."""

    title: str
    about: str
    """What the action changes, such as the name of an account."""
    effects: Sequence[str] = ()
    """What happens, a sentence each."""
    action: str
    """The address that the form is sent to."""
    button: str
    back: str
    """The page to which the reader can go back."""
    has_reason: bool = False
    choices: Sequence[tuple[str, str, str]] = ()
    """As `ui.choices` has them; the field is `choice`."""
    currency: str = ""
    """Of the field `amount`; empty where none is asked for."""
    amount_hint: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AdminPages:
    renderer: Renderer
    embedded: EmbeddedPictures

    async def page(
        self, request: Request, caller: Caller, template: str, *, status: int = HTTPStatus.OK, **values: Any
    ) -> Response:
        """Render a template that extends `admin/_frame.html`."""
        return self.renderer.page(
            request,
            template,
            status=status,
            headers=UNSTORED,
            viewer=caller,
            has_imports=await self._has_imports(),
            **values,
        )

    async def ask(self, request: Request, caller: Caller, question: Question, *, form: Form, nav: str) -> Response:
        """Ask before an action; a form that was refused is shown again, with what was wrong.

        Args:
            nav: The entry of the navigation to which the page belongs.
        """
        status = form.status if form.is_refused else HTTPStatus.OK
        return await self.page(
            request, caller, "admin/confirm.html", status=status, question=question, form=form, nav_path=nav
        )

    async def _has_imports(self) -> bool:
        """Return whether embedded pictures wait to become files."""
        for subject in PictureSubject:
            if await self.embedded.count_waiting(subject=subject):
                return True
        return False


def admin_pages(site: Site, links: Links) -> AdminPages:
    return AdminPages(renderer=site.renderer, embedded=links.of(EmbeddedPictures))


def next_address(request: Request, cursor: str | None) -> str:
    """Return the address of the next page of a list with the same filters; empty when there is none."""
    if cursor is None:
        return ""
    return f"{request.url.path}?{urlencode({**request.query_params, 'cursor': cursor})}"


def searched(request: Request) -> Form:
    """Return what a search form was sent with, to be shown in its fields."""
    return Form(values={name: value for name, value in request.query_params.items() if name != "cursor"})
