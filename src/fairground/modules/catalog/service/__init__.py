"""Implements the contract, one file for each of its subjects."""

from fairground.modules.catalog.service.approval import Approval
from fairground.modules.catalog.service.browsing import Browsing
from fairground.modules.catalog.service.offering import Offering
from fairground.modules.catalog.service.profiles import Profiles
from fairground.modules.catalog.service.projections import Projections
from fairground.modules.catalog.service.searching import Searching


class CatalogService(Searching, Browsing, Profiles, Approval, Offering, Projections):
    """The catalog. One public method is one transaction."""
