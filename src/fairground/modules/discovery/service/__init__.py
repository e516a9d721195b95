"""The contract of discovery, as a facade."""

from fairground.modules.discovery.service.lists import Lists
from fairground.modules.discovery.service.read_model import ReadModel
from fairground.modules.discovery.service.search import Search


class DiscoveryService:
    def __init__(self, *, lists: Lists, search: Search, read_model: ReadModel) -> None:
        self.search_providers = lists.search_providers
        self.search_lean = lists.search_lean
        self.get_price_distribution = lists.get_price_distribution
        self.find_places = lists.find_places
        self.count_listed = lists.count_listed
        self.list_listed = lists.list_listed
        self.search = search.search
        self.rebuild = read_model.rebuild
