"""The contracts of providers, as facades."""

from fairground.modules.providers.service.approval import Approval
from fairground.modules.providers.service.bulk_creation import BulkCreation
from fairground.modules.providers.service.claims import ClaimRequests
from fairground.modules.providers.service.invitations import Invitations
from fairground.modules.providers.service.offers import ServiceOffers
from fairground.modules.providers.service.profiles import Profiles, ProviderQueries


class ProviderService:
    def __init__(
        self,
        *,
        queries: ProviderQueries,
        profiles: Profiles,
        approval: Approval,
        offers: ServiceOffers,
        bulk: BulkCreation,
    ) -> None:
        self.get_currency = queries.get_currency
        self.get_provider = queries.get_provider
        self.list_services = queries.list_services
        self.get_offer = queries.get_offer
        self.get_offers = queries.get_offers
        self.get_contact = queries.get_contact
        self.get_provider_ref = queries.get_provider_ref
        self.get_provider_refs = queries.get_provider_refs
        self.find_provider_owned_by = queries.find_provider_owned_by
        self.get_own_provider = profiles.get_own_provider
        self.get_provider_for_review = profiles.get_provider_for_review
        self.list_submitted = profiles.list_submitted
        self.create_provider = profiles.create_provider
        self.create_providers_in_bulk = bulk.create_providers_in_bulk
        self.change_provider = profiles.change_provider
        self.set_picture = profiles.set_picture
        self.submit_provider = approval.submit_provider
        self.approve_provider = approval.approve_provider
        self.reject_provider = approval.reject_provider
        self.add_service = offers.add_service
        self.change_service = offers.change_service
        self.duplicate_service = offers.duplicate_service
        self.pause_service = offers.pause_service
        self.resume_service = offers.resume_service
        self.order_services = offers.order_services
        self.withdraw_service = offers.withdraw_service


class ClaimService:
    def __init__(self, *, requests: ClaimRequests, invitations: Invitations) -> None:
        self.request_claim = requests.request_claim
        self.find_own_claim = requests.find_own_claim
        self.list_waiting_claims = requests.list_waiting_claims
        self.get_claim = requests.get_claim
        self.grant_claim = requests.grant_claim
        self.refuse_claim = requests.refuse_claim
        self.invite_owners = invitations.invite_owners
        self.get_invitation = invitations.get_invitation
        self.accept_invitation = invitations.accept_invitation
