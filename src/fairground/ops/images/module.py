"""Builds the check of an installation's pictures."""

from functools import partial

from fairground.contracts.catalog import Galleries
from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import PictureCare
from fairground.ops.images.examining import examine
from fairground.platform.links import Links
from fairground.platform.module import Check, Module

NAME = "images"


def build(links: Links) -> Module:
    run = partial(
        examine,
        care=links.of(PictureCare),
        galleries=links.of(Galleries),
        embedded=links.of(EmbeddedPictures),
    )
    return Module(name=NAME, checks=[Check(NAME, run)])
