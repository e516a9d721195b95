import pytest

from fairground.contracts.catalog import ProviderNotFound, ProviderQuery
from fairground.modules.catalog.service import CatalogService
from tests.support.catalog import Desk


async def test_only_approved_providers_are_listed(desk: Desk, catalog: CatalogService) -> None:
    await desk.draft()
    await desk.submitted(business_name="Waiting")
    approved = await desk.approved(business_name="Listed", price_minor=20_000)

    found = await catalog.search_providers(query=ProviderQuery())

    assert [card.id for card in found.data] == [approved.id]
    assert found.total == 1


async def test_a_draft_has_no_public_page(desk: Desk, catalog: CatalogService) -> None:
    draft = await desk.draft()
    for name in (str(draft.id), draft.slug, "nobody", "a\x00b", "x" * 500):
        with pytest.raises(ProviderNotFound):
            await catalog.get_provider(id_or_slug=name)
