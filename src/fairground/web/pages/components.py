"""The page /_ui: every component of the design system with example values, for developers."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Final
from uuid import UUID

from babel import Locale
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.providers import ProviderCard
from fairground.platform.http.security import is_loopback
from fairground.platform.module import Links
from fairground.web.availability_calendar import Month, build_month
from fairground.web.forms import Form
from fairground.web.rendering import Renderer
from fairground.web.site import Site

EXAMPLE_DAY: Final = date(2026, 12, 3)
EXAMPLE_START: Final = datetime(2026, 12, 3, 18, 0, tzinfo=UTC)
EXAMPLE_ZONE: Final = "Europe/Oslo"
EXAMPLE_CARDS: Final = (
    ("Maya & the Tides", "Jazz trio for dinners and small stages", "Oslo, Norway", 48000, 4.9, 31),
    ("Tomás Ferreira", "Portuguese seafood, cooked at your table", "Lisbon, Portugal", 9500, 4.7, 112),
    ("Aiko Tanaka", "Mathematics up to university entrance", "Berlin, Germany", 4250, None, 0),
    ("DJ Nordlys", "House and disco until the last guest", "Bergen, Norway", 60000, 4.2, 8),
)


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = APIRouter(include_in_schema=False)
    # For developers, on their own machine.
    if is_loopback(site.public_url):
        _add_components(router, site.renderer)
    return router


def _add_components(router: APIRouter, renderer: Renderer) -> None:

    @router.get("/_ui")
    async def show_components(request: Request) -> HTMLResponse:
        return renderer.page(
            request,
            "_ui.html",
            headers={"X-Robots-Tag": "noindex"},
            cards=[_card(number, example) for number, example in enumerate(EXAMPLE_CARDS, start=1)],
            month=_month(renderer.locale),
            person=SimpleNamespace(name="Nora Lind", role="provider", is_staff=False),
            empty_form=Form(),
            wrong_form=_wrong_form(),
            slots=[("Morning", _slots(8, 30)), ("Evening", _slots(17, 30))],
            terms=_terms(),
            start=EXAMPLE_START,
            end=EXAMPLE_START + timedelta(hours=2),
            day=EXAMPLE_DAY,
            zone=EXAMPLE_ZONE,
        )


def _card(number: int, example: tuple[str, str, str, int, float | None, int]) -> ProviderCard:
    name, subtitle, place, price_minor, rating, rating_count = example
    return ProviderCard(
        id=UUID(int=number),
        slug=f"example-{number}",
        business_name=name,
        profile_picture_url=None,
        custom_subtitle=subtitle,
        location=place,
        service_categories=["example"],
        price_from_minor=price_minor,
        currency="EUR",
        rating=rating,
        rating_count=rating_count,
        book_count=rating_count * 2,
    )


def _month(locale: Locale) -> Month:
    free = {EXAMPLE_DAY + timedelta(days=offset): offset % 5 for offset in range(1, 25)}
    return build_month(
        EXAMPLE_DAY.replace(day=1),
        free=free,
        today=EXAMPLE_DAY,
        chosen=EXAMPLE_DAY + timedelta(days=8),
        last_day=EXAMPLE_DAY + timedelta(days=60),
        day_href=lambda on: f"/_ui?date={on}",
        month_href=lambda on: f"/_ui?month={on:%Y-%m}",
        locale=locale,
    )


def _slots(hour: int, minute: int) -> list[tuple[str, str]]:
    return [(f"{hour + step}:{minute}", f"{hour + step:02}:{minute:02}") for step in range(4)]


def _terms() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            until=EXAMPLE_START - timedelta(days=7), refund_minor=48000, refund_percent=100, is_grace=False
        ),
        SimpleNamespace(until=EXAMPLE_START - timedelta(days=2), refund_minor=24000, refund_percent=50, is_grace=False),
        SimpleNamespace(until=None, refund_minor=0, refund_percent=0, is_grace=False),
    ]


def _wrong_form() -> Form:
    values = {"wrong_email": "nora@", "wrong_price": "a lot", "wrong_time": "17:30"}
    errors = {
        "wrong_email": "Write the whole address, such as nora@example.org.",
        "wrong_price": "Write the price as a number, such as 79.50.",
    }
    return Form(values=values, errors=errors)
