from itertools import product

import pytest

from fairground.contracts.providers import ProfileIncomplete, ProviderStatus, StatusConflict
from fairground.modules.providers.domain import ApprovalFacts, advance, list_missing, require_complete
from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import Vertical

DRAFT, SUBMITTED, APPROVED, REJECTED = ProviderStatus
ALLOWED = {(DRAFT, SUBMITTED), (SUBMITTED, APPROVED), (SUBMITTED, REJECTED), (REJECTED, SUBMITTED)}
ALL = ApprovalFacts(
    email_verified=True, has_bio=True, has_location=True, has_picture=True, has_service=True, has_hours=True
)
NONE = ApprovalFacts(
    email_verified=False, has_bio=False, has_location=False, has_picture=False, has_service=False, has_hours=False
)


@pytest.mark.parametrize(("now", "to"), [*product(ProviderStatus, ProviderStatus)])
def test_a_status_moves_only_along_the_table(now: ProviderStatus, to: ProviderStatus) -> None:
    if (now, to) in ALLOWED:
        assert advance(now, to) is to
    else:
        with pytest.raises(StatusConflict, match=f"that is {now} cannot become {to}"):
            advance(now, to)


@pytest.mark.parametrize("pack", load_verticals().packs, ids=lambda pack: pack.key)
def test_the_checklist_is_the_packs(pack: Vertical) -> None:
    assert list_missing(pack, ALL) == []
    assert list_missing(pack, NONE) == [item.key for item in pack.checklist]


@pytest.mark.parametrize("pack", load_verticals().packs, ids=lambda pack: pack.key)
def test_an_unverified_address_keeps_a_profile_from_being_submitted(pack: Vertical) -> None:
    require_complete(pack, ALL)
    with pytest.raises(ProfileIncomplete) as refused:
        require_complete(pack, NONE)
    assert "email_verified" in refused.value.context["missing"]
    without_item = pack.model_copy(update={"checklist": pack.checklist[1:]})
    with pytest.raises(ProfileIncomplete):
        require_complete(without_item, NONE)
