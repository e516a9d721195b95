"""JSON routes of booking."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fairground.contracts.booking import (
    EXCEPTIONS_MAX,
    MIN_NOTICE_HOURS_MAX,
    SLOT_LIST_MAX_DAYS,
    TIME_OFF_MAX,
    TIME_OFF_NOTE_MAX_LENGTH,
    WEEKLY_HOURS_MAX,
    Availability,
    AvailabilityRules,
    BookingPage,
    Bookings,
    BookingStatus,
    BookingView,
    CancelIn,
    ClosingTime,
    DeclineIn,
    EndedHolds,
    HoldIn,
    PausedUntil,
    PayIn,
    Receipt,
    RulesChanges,
    WallTime,
)
from fairground.contracts.booking.availability import day_tags, hours_tag
from fairground.contracts.providers import (
    ALL_PROVIDERS,
    DURATION_MAX_MINUTES,
    ProviderNotFound,
    ProviderPath,
    Providers,
    provider_tag,
)
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, Input, text_field
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router


def _clock(value: Any) -> Any:
    """Refuse a number, which would count as seconds."""
    if not isinstance(value, str):
        raise ValueError("must be text such as 09:30")  # noqa: TRY004 - pydantic shows a ValueError to the caller
    return value


def _closing_clock(value: Any) -> Any:
    """Read "24:00", as opening hours are written, as the midnight that ends the day."""
    return "00:00" if _clock(value) in {"24:00", "24:00:00"} else value


StartTime = Annotated[WallTime, BeforeValidator(_clock)]
EndTime = Annotated[ClosingTime, BeforeValidator(_closing_clock)]


class WeeklyIn(Input):
    weekday: int = Field(ge=0, le=6, description="Monday is 0.")
    start: StartTime
    end: EndTime = Field(description="Not after the start: on the next day. 00:00 or 24:00 means midnight.")


class ExceptionIn(Input):
    date: date
    available: bool
    start: StartTime | None = None
    end: EndTime | None = None


class TimeOffIn(Input):
    from_date: date
    to_date: date = Field(description="The last day.")
    note: str | None = text_field(None, most=TIME_OFF_NOTE_MAX_LENGTH, description="For yourself.")


class RulesIn(Input):
    timezone: str = Field(max_length=64, description="An IANA name such as Europe/Oslo.")
    weekly: list[WeeklyIn] = Field(max_length=WEEKLY_HOURS_MAX)
    exceptions: list[ExceptionIn] = Field(default_factory=list, max_length=EXCEPTIONS_MAX)

    time_off: list[TimeOffIn] = Field(
        default_factory=list, max_length=TIME_OFF_MAX, description="Left out, it stays as it is."
    )
    min_notice_hours: int | None = Field(
        None,
        ge=0,
        le=MIN_NOTICE_HOURS_MAX,
        description="From booking to the earliest start; null for the vertical's. Left out, it stays as it is.",
    )
    paused_until: PausedUntil | None = Field(
        None,
        description="The first day on which you take bookings again, or `reopened` until you change it; null while "
        "you take them. Left out, it stays as it is.",
    )

    def changes(self) -> RulesChanges:
        kept = {name for name in ("time_off", "min_notice_hours", "paused_until") if name not in self.model_fields_set}
        return RulesChanges(**self.model_dump(exclude=kept))


class SlotQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    from_date: date = Field(alias="from")
    to_date: date = Field(alias="to")
    service_id: UUID | None = None
    duration_minutes: int | None = Field(
        default=None, ge=1, le=DURATION_MAX_MINUTES, description="Of a service by the hour; its shortest if unset."
    )


class BookingListQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    side: Literal["customer", "provider"] | None = None
    status: BookingStatus | None = None
    ended_holds: EndedHolds = Field(
        default=EndedHolds.INCLUDED, description="Whether the list has the holds that were released or expired unpaid."
    )
    page: int = Field(default=1, ge=1, le=100_000)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None,
        max_length=CURSOR_MAX_LENGTH,
        description="`next_cursor` of an answer to the same question: go on behind it, whatever `page` says.",
    )


def _availability_tags(values: Mapping[str, Any]) -> tuple[str, ...]:
    provider, first, last = values["id_or_slug"], values["from_date"], values["to_date"]
    # A longer span is refused, and a refusal depends on nothing.
    days = day_tags(provider, first=first, last=last) if (last - first).days < SLOT_LIST_MAX_DAYS else ()
    return ALL_PROVIDERS, provider_tag(provider), hours_tag(provider), *days


class CalendarResponse(Response):
    media_type = "text/calendar"


def routes(service: Bookings, *, providers: Providers) -> APIRouter:
    router = api_router(tags=["bookings"])
    _add_availability(router, service, providers)
    _add_bookings(router, service)
    _add_steps(router, service)
    return router


def _add_availability(router: APIRouter, service: Bookings, providers: Providers) -> None:
    @router.get("/service-provider-profiles/{id_or_slug}/availability")
    @cached(
        CachePolicy(
            route="availability", life=Life.AVAILABILITY, path=ProviderPath, query=SlotQuery, tags=_availability_tags
        )
    )
    async def list_slots(id_or_slug: str, query: Annotated[SlotQuery, Query()]) -> Availability:
        """List available start times of a service, or of the shortest one, for up to 62 days."""
        provider = await providers.get_provider(id_or_slug=id_or_slug)
        return await service.list_slots(
            provider_id=provider.id,
            from_date=query.from_date,
            to_date=query.to_date,
            service_id=query.service_id,
            duration_minutes=query.duration_minutes,
        )

    @router.get("/service-provider-profiles/{provider_id}/availability-rules")
    async def get_rules(provider_id: UUID, caller: SignedIn) -> AvailabilityRules:
        """Get your opening hours."""
        provider = await providers.get_provider_ref(provider_id=provider_id)
        if provider.owner_id != caller.user_id:
            raise ProviderNotFound(f"Provider {provider_id} does not exist, or is not yours.")
        return await service.get_rules(provider_id=provider_id)

    @router.put("/service-provider-profiles/{provider_id}/availability-rules")
    async def set_rules(provider_id: UUID, rules: RulesIn, caller: SignedIn) -> AvailabilityRules:
        """Replace your opening hours. Existing bookings don't change.

        Time off, notice and pause stay unchanged if omitted.
        """
        return await service.change_rules(owner_id=caller.user_id, provider_id=provider_id, changes=rules.changes())


def _add_bookings(router: APIRouter, service: Bookings) -> None:
    @router.post("/bookings", status_code=201)
    async def hold(body: HoldIn, caller: SignedIn) -> BookingView:
        """Hold a slot for 10 minutes, until `expires_at`. No payment yet.

        Repeating the request for a slot you hold returns that hold with the updated details. With another
        total or length it is a new hold, and the first one is cancelled.
        """
        return await service.hold(customer_id=caller.user_id, **dict(body))

    @router.get("/bookings")
    async def list_bookings(caller: SignedIn, query: Annotated[BookingListQuery, Query()]) -> BookingPage:
        """List your bookings as customer or provider, latest start first; page numbers end at 10,000 bookings."""
        return await service.list_bookings(user_id=caller.user_id, **query.model_dump())

    @router.get("/bookings/{booking_id}")
    async def get_booking(booking_id: UUID, caller: SignedIn) -> BookingView:
        """Return a booking, with what you can do with it in `next_steps` and, once confirmed, the other's `contact`."""
        return await service.get_booking(user_id=caller.user_id, booking_id=booking_id)

    @router.get("/bookings/{booking_id}/calendar.ics", response_class=CalendarResponse)
    async def get_calendar(booking_id: UUID, caller: SignedIn) -> Response:
        """Download the booking as an iCalendar file. Importing it again updates the event."""
        calendar = await service.get_calendar(user_id=caller.user_id, booking_id=booking_id)
        return CalendarResponse(calendar, headers={"Content-Disposition": 'attachment; filename="booking.ics"'})

    @router.get("/bookings/{booking_id}/receipt")
    async def get_receipt(booking_id: UUID, caller: SignedIn) -> Receipt:
        """Get the receipt of a booking you paid for, with refunds."""
        return await service.get_receipt(user_id=caller.user_id, booking_id=booking_id)


def _add_steps(router: APIRouter, service: Bookings) -> None:
    @router.post("/bookings/{booking_id}/pay")
    async def pay(booking_id: UUID, body: PayIn, caller: SignedIn) -> BookingView:
        """Pay for a held slot. The booking becomes confirmed (instant booking) or requested."""
        return await service.pay(customer_id=caller.user_id, booking_id=booking_id, payment_method=body.payment_method)

    @router.post("/bookings/{booking_id}/accept")
    async def accept(booking_id: UUID, caller: SignedIn) -> BookingView:
        """Accept a booking request and capture the payment."""
        return await service.accept(owner_id=caller.user_id, booking_id=booking_id)

    @router.post("/bookings/{booking_id}/decline")
    async def decline(booking_id: UUID, caller: SignedIn, answer: DeclineIn | None = None) -> BookingView:
        """Decline a booking request and release the payment."""
        return await service.decline(
            owner_id=caller.user_id, booking_id=booking_id, reason=answer.reason if answer else None
        )

    @router.post("/bookings/{booking_id}/cancel")
    async def cancel(booking_id: UUID, caller: SignedIn, wanted: CancelIn | None = None) -> BookingView:
        """Cancel a booking, as customer or provider. See `cancellation` of the booking for the refund."""
        return await service.cancel(
            user_id=caller.user_id,
            booking_id=booking_id,
            expected_refund_minor=wanted.expected_refund_minor if wanted else None,
        )

    @router.post("/bookings/{booking_id}/complete")
    async def complete(booking_id: UUID, caller: SignedIn) -> BookingView:
        """Mark a booking as completed, after it has ended."""
        return await service.complete(user_id=caller.user_id, booking_id=booking_id)
