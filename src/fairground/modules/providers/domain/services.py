"""Services as they are changed or copied, and what a profile must keep for them."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fairground.contracts.providers import (
    NAME_MAX_LENGTH,
    ContactInUse,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceInvalid,
)
from fairground.contracts.providers.service_rules import Grounds
from fairground.verticals.schema import Place

_OPTIONAL: Final = frozenset({"description", "max_duration_minutes", "max_people", "travel_radius_km"})
"""The fields that a change can empty."""
_COPY: Final = " (copy)"


def apply_changes(service: Service, changes: ServiceChanges) -> ServiceIn:
    """Return the service with the changed fields, for `check_service`.

    Raises:
        ServiceInvalid: A required field is emptied.
    """
    changed = {name: getattr(changes, name) for name in changes.model_fields_set}
    for name, value in changed.items():
        if value is None and name not in _OPTIONAL:
            raise ServiceInvalid(f"{name} cannot be emptied.", field=name)
    return as_new(service).model_copy(update=changed)


def as_new(service: Service, **changes: Any) -> ServiceIn:
    """Return an offered service as the input that makes an equal one."""
    return ServiceIn(**{name: getattr(service, name) for name in ServiceIn.model_fields} | changes)


def check_still_served(services: Iterable[Service], *, before: Grounds, after: Grounds) -> None:
    """Raise ContactInUse when a change of the profile removes what its services depend on."""
    needs = (
        ("has_address", "address", "address", _is_at("provider")),
        ("has_meeting_details", "meeting_details", "meeting link or number", _is_at("online")),
        ("has_coordinates", "lat", "place on the map", _has_radius),
    )
    for ground, field, words, depends in needs:
        is_lost = getattr(before, ground) and not getattr(after, ground)
        names = [service.name for service in services if is_lost and depends(service)]
        if names:
            raise ContactInUse(
                f"Your {words} is needed by: {', '.join(names)}.",
                hint="First change where these services take place.",
                field=field,
                services=names,
            )


def _is_at(place: Place) -> Callable[[Service], bool]:
    return lambda service: place in service.places


def _has_radius(service: Service) -> bool:
    return service.travel_radius_km is not None


def name_copy(name: str) -> str:
    """Return the name of a copy: "Evening set (copy)"."""
    return name[: NAME_MAX_LENGTH - len(_COPY)].rstrip() + _COPY
