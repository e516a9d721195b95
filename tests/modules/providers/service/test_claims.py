"""An imported provider gets one owner: by an invitation, or by a claim that staff grants."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import EmailUnverified, Role
from fairground.contracts.imports import ImportedProvider
from fairground.contracts.media import PictureState
from fairground.contracts.providers import (
    NotAProvider,
    ProfileChanges,
    ProfileExists,
    ProfileInvalid,
    ProviderNotFound,
    ProvidersChanged,
    ProviderStatus,
    StaffOnly,
)
from fairground.contracts.providers.claims import (
    AlreadyClaimed,
    ClaimDecided,
    ClaimExists,
    ClaimNotFound,
    ClaimStatus,
    InvitationUnusable,
    ProviderClaimed,
    ProviderClaimRefused,
    TooManyClaims,
)
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service.claims import HandOverPictures
from fairground.modules.providers.tables import InvitationRow
from fairground.platform.db.database import Database
from tests.doubles.media import FakePictures
from tests.support.claims import claim, imported, invited, owner_of
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, a_service


async def test_granted_claim_makes_the_claimant_the_owner(
    catalog: Directory, desk: Desk, people: People, outbox: RecordingOutbox
) -> None:
    provider_id, user_id = await imported(catalog), people.add(Role.CUSTOMER)
    claim_id = await claim(catalog, user_id, provider_id)
    [waiting] = await catalog.claims.list_waiting_claims(limit=10)
    assert (waiting.id, waiting.claimant_name, waiting.reason) == (claim_id, "Kim", "It is my kitchen.")
    before = len(outbox.events)
    granted = await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=claim_id)
    assert granted.status is ClaimStatus.GRANTED
    assert await catalog.claims.list_waiting_claims(limit=10) == []
    own = await catalog.get_own_provider(owner_id=user_id)
    assert (own.id, own.status, own.is_claimed, own.contact_email) == (
        provider_id,
        ProviderStatus.APPROVED,
        True,
        (await people.get_user(user_id=user_id)).email,
    )
    assert own.missing == ["has_bio", "has_hours"]
    assert (await people.get_user(user_id=user_id)).role is Role.PROVIDER
    kinds = [type(event) for event in outbox.events[before:]]
    assert kinds == [ProvidersChanged, ProviderClaimed]


async def test_claimed_profile_is_its_owners_and_bookable(catalog: Directory, desk: Desk, people: People) -> None:
    provider_id, user_id = await imported(catalog), people.add()
    await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=await claim(catalog, user_id, provider_id))
    changes = ProfileChanges(business_name="My kitchen")
    await catalog.change_provider(owner_id=user_id, provider_id=provider_id, changes=changes)
    service = a_service(category="sushi", booking_mode="request")
    added = await catalog.add_service(owner_id=user_id, provider_id=provider_id, service=service)
    assert (await catalog.get_offer(service_id=added.id)).is_bookable
    # A later import leaves it alone.
    await imported_again(catalog)
    assert (await catalog.get_provider(id_or_slug="kitchen-1")).business_name == "My kitchen"


async def imported_again(catalog: Directory) -> None:
    row = ImportedProvider(
        external_id="1",
        business_name="Other name",
        location="Bergen",
        timezone="UTC",
        categories=["sushi"],
        contact_email="other@example.org",
    )
    outcome = await catalog.import_providers(vertical="chefs", source="oslo", providers=[row])
    assert outcome.unchanged == 1


async def test_refused_claim_says_why_and_may_be_made_again(
    catalog: Directory, desk: Desk, people: People, outbox: RecordingOutbox
) -> None:
    provider_id, user_id = await imported(catalog), people.add()
    claim_id = await claim(catalog, user_id, provider_id)
    with pytest.raises(ClaimExists):
        await claim(catalog, user_id, provider_id)
    refused = await catalog.claims.refuse_claim(staff_id=desk.staff_id, claim_id=claim_id, reason="No proof.")
    assert (refused.status, refused.refusal) == (ClaimStatus.REFUSED, "No proof.")
    [event] = [event for event in outbox.events if isinstance(event, ProviderClaimRefused)]
    assert (event.user_id, event.reason) == (user_id, "No proof.")
    assert await owner_of(catalog, provider_id) is None
    with pytest.raises(ClaimDecided):
        await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=claim_id)
    with pytest.raises(ClaimDecided):
        await catalog.claims.refuse_claim(staff_id=desk.staff_id, claim_id=claim_id, reason="Again.")
    again = await claim(catalog, user_id, provider_id)
    found = await catalog.claims.find_own_claim(user_id=user_id, provider_id=provider_id)
    assert found is not None
    assert (found.id, found.status) == (again, ClaimStatus.WAITING)


async def test_other_claims_are_refused_with_the_grant(
    catalog: Directory, desk: Desk, people: People, outbox: RecordingOutbox
) -> None:
    provider_id, users = await imported(catalog), [people.add() for _ in range(3)]
    claims = [await claim(catalog, user_id, provider_id) for user_id in users]
    await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=claims[1])
    states = [(await catalog.claims.get_claim(claim_id=each)).status.value for each in claims]
    assert states == ["refused", "granted", "refused"]
    refused = {event.user_id for event in outbox.events if isinstance(event, ProviderClaimRefused)}
    assert refused == {users[0], users[2]}
    with pytest.raises(AlreadyClaimed):
        await claim(catalog, people.add(), provider_id)


async def test_who_may_claim(catalog: Directory, desk: Desk, people: People) -> None:
    provider_id = await imported(catalog)
    with pytest.raises(NotAProvider):
        await claim(catalog, desk.staff_id, provider_id)
    with pytest.raises(EmailUnverified):
        await claim(catalog, people.add(email_verified=False), provider_id)
    owner = (await desk.draft()).owner_id
    assert owner is not None
    with pytest.raises(ProfileExists):
        await claim(catalog, owner, provider_id)
    with pytest.raises(ProviderNotFound):
        await claim(catalog, people.add(), uuid7())
    with pytest.raises(ProviderNotFound):
        await claim(catalog, people.add(), (await desk.draft()).id)
    with pytest.raises(ProfileInvalid):
        await catalog.claims.request_claim(user_id=people.add(), provider_id=provider_id, reason=" ")


async def test_only_staff_decides(catalog: Directory, people: People) -> None:
    user_id = people.add()
    claim_id = await claim(catalog, user_id, await imported(catalog))
    with pytest.raises(StaffOnly):
        await catalog.claims.grant_claim(staff_id=user_id, claim_id=claim_id)
    with pytest.raises(StaffOnly):
        await catalog.claims.refuse_claim(staff_id=user_id, claim_id=claim_id, reason="No.")
    with pytest.raises(ClaimNotFound):
        await catalog.claims.get_claim(claim_id=uuid7())


async def test_account_that_got_a_profile_since_is_not_granted_another(
    catalog: Directory, desk: Desk, people: People
) -> None:
    user_id = people.add()
    first, second = await imported(catalog, 1), await imported(catalog, 2)
    claims = [await claim(catalog, user_id, first), await claim(catalog, user_id, second)]
    await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=claims[0])
    with pytest.raises(ProfileExists):
        await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=claims[1])
    assert (await catalog.claims.get_claim(claim_id=claims[1])).status is ClaimStatus.WAITING


async def test_claims_of_one_account_are_limited(catalog: Directory, people: People) -> None:
    user_id = people.add()
    for number in range(5):
        await claim(catalog, user_id, await imported(catalog, number))
    with pytest.raises(TooManyClaims):
        await claim(catalog, user_id, await imported(catalog, 6))


async def test_invitation_is_mailed_once_and_makes_its_reader_the_owner(
    catalog: Directory, people: People, outbox: RecordingOutbox
) -> None:
    provider_id = await imported(catalog, contact_email="Owner@Example.org")
    await imported(catalog, 2)
    token = await invited(catalog, outbox)
    [message] = catalog.mails.messages
    assert (message["To"], message["Subject"]) == ("owner@example.org", "Claim your page: Kitchen 1")
    assert await catalog.claims.invite_owners() == 0
    invitation = await catalog.claims.get_invitation(token=token)
    assert (invitation.provider_id, invitation.email) == (provider_id, "owner@example.org")
    user_id = people.add()
    assert (await catalog.claims.accept_invitation(user_id=user_id, token=token)).id == provider_id
    assert await owner_of(catalog, provider_id) == user_id
    for call in (
        catalog.claims.get_invitation(token=token),
        catalog.claims.accept_invitation(user_id=people.add(), token=token),
    ):
        with pytest.raises(InvitationUnusable):
            await call


async def test_token_is_in_no_job_and_stored_hashed(catalog: Directory, db: Database, outbox: RecordingOutbox) -> None:
    await imported(catalog, contact_email="owner@example.org")
    await catalog.claims.invite_owners()
    assert [set(job.model_dump()) for job in outbox.jobs] == [{"provider_id"}]
    token = await invited_again(catalog, outbox)
    async with db.read() as tx:
        [stored] = await tx.scalars(select(InvitationRow.token_hash))
    assert token.encode() not in bytes(stored)
    assert len(bytes(stored)) == 32


async def invited_again(catalog: Directory, outbox: RecordingOutbox) -> str:
    outbox.jobs.clear()
    return await invited(catalog, outbox)


async def test_invitation_expires_and_is_sent_again(
    catalog: Directory, db: Database, people: People, outbox: RecordingOutbox
) -> None:
    await imported(catalog, contact_email="owner@example.org")
    token = await invited(catalog, outbox)
    db.clock_shift = timedelta(days=13, hours=23)
    assert (await catalog.claims.get_invitation(token=token)).provider_name == "Kitchen 1"
    db.clock_shift = timedelta(days=14, seconds=1)
    with pytest.raises(InvitationUnusable):
        await catalog.claims.accept_invitation(user_id=people.add(), token=token)
    assert await invited(catalog, outbox) != token


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "\x00" * 43, "../" * 20])
async def test_text_that_is_no_token_finds_nothing(catalog: Directory, token: str) -> None:
    with pytest.raises(InvitationUnusable):
        await catalog.claims.get_invitation(token=token)


async def test_account_with_a_profile_keeps_the_link_usable(
    catalog: Directory, desk: Desk, people: People, outbox: RecordingOutbox
) -> None:
    await imported(catalog, contact_email="owner@example.org")
    token = await invited(catalog, outbox)
    owner_id = (await desk.draft()).owner_id
    assert owner_id is not None
    with pytest.raises(ProfileExists):
        await catalog.claims.accept_invitation(user_id=owner_id, token=token)
    assert (await catalog.claims.accept_invitation(user_id=people.add(), token=token)).business_name == "Kitchen 1"


async def test_grant_ends_the_links_of_the_provider(
    catalog: Directory, desk: Desk, people: People, outbox: RecordingOutbox
) -> None:
    provider_id = await imported(catalog, contact_email="owner@example.org")
    token = await invited(catalog, outbox)
    await catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=await claim(catalog, people.add(), provider_id))
    with pytest.raises(InvitationUnusable):
        await catalog.claims.get_invitation(token=token)
    assert await catalog.claims.invite_owners() == 0


async def test_address_that_an_import_changes_or_drops_is_what_is_invited(
    catalog: Directory, outbox: RecordingOutbox
) -> None:
    await imported(catalog, contact_email="old@example.org")
    await imported(catalog, contact_email="new@example.org")
    await invited(catalog, outbox)
    assert catalog.mails.messages[-1]["To"] == "new@example.org"
    await imported(catalog, 2, contact_email="two@example.org")
    await imported(catalog, 2)
    assert await catalog.claims.invite_owners() == 0
    with pytest.raises(ProfileInvalid, match="contact email"):
        await imported(catalog, 3, contact_email="not an address")


async def test_pictures_of_the_import_become_the_owners(
    catalog: Directory, people: People, album: FakePictures, outbox: RecordingOutbox
) -> None:
    provider_id, user_id = await imported(catalog, contact_email="owner@example.org"), people.add()
    picture = album.add(provider_id, PictureState.READY)
    await catalog.claims.accept_invitation(user_id=user_id, token=await invited(catalog, outbox))
    [job] = [job for job in outbox.jobs if isinstance(job, HandOverPictures)]
    await catalog.ownership.on_hand_over_pictures(job)
    assert (await album.get_picture(owner_id=user_id, picture_id=picture.id)).id == picture.id
