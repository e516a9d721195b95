import pytest

from fairground.contracts.discovery import Place, ProviderQuery
from fairground.contracts.providers import ProviderNotFound
from tests.support.directory import Directory
from tests.support.providers import Desk


async def test_only_approved_providers_are_listed(desk: Desk, catalog: Directory) -> None:
    await desk.draft()
    await desk.submitted(business_name="Waiting")
    approved = await desk.approved(business_name="Listed", price_minor=20_000)

    found = await catalog.search_providers(query=ProviderQuery())

    assert [card.id for card in found.data] == [approved.id]
    assert found.total == 1


async def test_a_draft_has_no_public_page(desk: Desk, catalog: Directory) -> None:
    draft = await desk.draft()
    for name in (str(draft.id), draft.slug, "nobody", "a\x00b", "x" * 500):
        with pytest.raises(ProviderNotFound):
            await catalog.get_provider(id_or_slug=name)


async def test_places_are_told_to_a_kilometre_and_of_approved_providers_alone(desk: Desk, catalog: Directory) -> None:
    shown = await desk.approved(business_name="Shown", lat=59.91389, lng=10.75226)
    silent = await desk.approved(business_name="Silent", lat=None, lng=None)
    draft = await desk.draft(lat=1.0, lng=2.0)
    ids = [shown.id, silent.id, draft.id]
    assert await catalog.find_places(provider_ids=ids) == {shown.id: Place(lat=59.91, lng=10.75)}
