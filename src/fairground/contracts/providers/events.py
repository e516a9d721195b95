"""The events of providers."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Event, Priority, Queue


class ProviderSubmitted(Event):
    topic: ClassVar = "catalog.provider_submitted.v1"
    provider_id: UUID
    owner_id: UUID
    business_name: str


class ProviderApproved(Event):
    topic: ClassVar = "catalog.provider_approved.v1"
    provider_id: UUID
    owner_id: UUID
    business_name: str
    slug: str


class ProviderRejected(Event):
    topic: ClassVar = "catalog.provider_rejected.v1"
    provider_id: UUID
    owner_id: UUID
    business_name: str
    reason: str


class ProvidersImported(Event):
    """Up to 500 providers were created or changed by one step of an import."""

    topic: ClassVar = "catalog.providers_imported.v1"
    vertical: str
    source: str
    provider_ids: list[UUID]


class ProvidersChanged(Event):
    """Approved providers differ from their last snapshots; read models fetch the new ones (`ProviderSnapshots`)."""

    topic: ClassVar = "providers.changed.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    versions: dict[UUID, int]
    """By provider, the version of the snapshot that has the change; up to 500 from one import step."""


class ProviderTimezoneSet(Event):
    """The zone of a provider's wall times has changed. The version only grows, so late and double delivery is safe."""

    topic: ClassVar = "catalog.provider_timezone_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID
    slug: str
    timezone: str
    version: int


class ServicesChanged(Event):
    """A provider has added, changed, paused, resumed or withdrawn a service."""

    topic: ClassVar = "catalog.services_changed.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID
