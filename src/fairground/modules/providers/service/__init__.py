"""The contract of providers, as a facade."""

from fairground.modules.providers.service.approval import Approval
from fairground.modules.providers.service.bulk_creation import BulkCreation
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
