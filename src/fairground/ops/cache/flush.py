"""Invalidation by hand: of the whole cache, of one kind of response, or of one provider."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fairground.contracts.booking.availability import hours_tag
from fairground.contracts.providers import Providers, provider_tag
from fairground.contracts.reviews import reviews_tag
from fairground.kernel.errors import Conflict
from fairground.platform.cache.policy import EVERYTHING, life_tag
from fairground.platform.cache.settings import Life
from fairground.platform.db.common.audit import AuditEntry, list_actions, record_action
from fairground.platform.db.database import Database

FLUSH: Final = "cache.flush"


class NothingCached(Conflict):
    code = "cache.nothing_cached"
    hint = "Beside PostgreSQL, set FAIRGROUND_REDIS_URL; then responses are cached."


async def flush(
    db: Database, providers: Providers, *, kinds: Sequence[Life], provider: str | None, actor: UUID | None
) -> list[str]:
    """Invalidate responses, in this process at once and in others as after any change; return the tags.

    Args:
        actor: The user who flushes, for the audit trail; None for a command.
        kinds: The kinds of responses; none means all.
        provider: Id or slug; limits the flush to responses about this provider, of every kind.

    Raises:
        NothingCached: This installation has no cache.
        ProviderNotFound
    """
    if db.invalidation is None:
        raise NothingCached("Nothing is cached: other servers may change this database, and this one would not notice.")
    tags = await _tags(providers, kinds=kinds, provider=provider)
    async with db.write() as tx:
        tx.invalidate(*tags)
        await record_action(tx, action=FLUSH, actor=actor, details={"tags": sorted(tags)})
    return sorted(tags)


async def list_flushes(db: Database, *, limit: int) -> list[AuditEntry]:
    """Return the latest flushes, newest first; their details contain the invalidated tags."""
    async with db.read() as tx:
        return (await list_actions(tx, action=FLUSH, limit=limit)).data


async def _tags(providers: Providers, *, kinds: Sequence[Life], provider: str | None) -> set[str]:
    if provider is None:
        return {life_tag(life) for life in kinds} or {EVERYTHING}
    found = await providers.get_provider(id_or_slug=provider)
    keys = (str(found.id), found.slug)
    return {tag(key) for tag in (hours_tag, provider_tag, reviews_tag) for key in keys}
