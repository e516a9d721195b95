"""JSON routes of discovery, relative to /api/v1."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairground.contracts.discovery import Discovery
from fairground.modules.discovery.http import lists, search
from fairground.verticals.loader import Verticals


def routes(discovery: Discovery, verticals: Verticals) -> Sequence[APIRouter]:
    return lists.routes(discovery, verticals), search.routes(discovery, verticals)
