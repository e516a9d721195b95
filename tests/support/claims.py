"""Imported providers, and steps to their claims."""

import re
from typing import Any
from uuid import UUID

from fairground.contracts.imports import ImportedProvider
from fairground.modules.providers.service.invitations import MailInvitation
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox


async def imported(catalog: Directory, number: int = 1, **more: Any) -> UUID:
    row = ImportedProvider(
        external_id=str(number),
        business_name=f"Kitchen {number}",
        location="Oslo",
        timezone="Europe/Oslo",
        categories=["sushi"],
        price_minor=10_000,
        **more,
    )
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[row])
    return (await catalog.get_provider(id_or_slug=f"kitchen-{number}")).id


async def claim(catalog: Directory, user_id: UUID, provider_id: UUID) -> UUID:
    found = await catalog.claims.request_claim(user_id=user_id, provider_id=provider_id, reason="It is my kitchen.")
    return found.id


async def invited(catalog: Directory, outbox: RecordingOutbox) -> str:
    """Send the invitations that wait, and return the token of the last one."""
    assert await catalog.claims.invite_owners()
    for job in outbox.jobs:
        if isinstance(job, MailInvitation):
            await catalog.invitations.on_mail_invitation(job)
    outbox.jobs.clear()
    body = catalog.mails.messages[-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"http://fair\.test/claim\?token=([\w-]{43})", body.get_content())
    assert found is not None
    return found[1]


async def owner_of(catalog: Directory, provider_id: UUID) -> UUID | None:
    return (await catalog.get_provider_ref(provider_id=provider_id)).owner_id
