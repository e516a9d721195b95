"""The provider list as it is usually written: FastAPI, SQLAlchemy's ORM, redis-py beside it, Pydantic on every answer.

An honest program, without an obvious mistake: an asynchronous engine with a pool, the indexes
of the marketplace, categories loaded in one query for the page, cache-aside with a time to live. `/providers` does what
most tutorials do and validates what comes from the cache too; `/providers-bytes` returns the cached bytes.

Run it with `uvicorn benchmarks.peers.obvious:app` and PEER_DATABASE_URL, PEER_REDIS_URL in the environment.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from sqlalchemy import ColumnElement, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

TTL_SECONDS = 60


class Base(DeclarativeBase):
    pass


class Provider(Base):
    __tablename__ = "providers_provider"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vertical: Mapped[str]
    status: Mapped[str]
    slug: Mapped[str]
    business_name: Mapped[str]
    custom_subtitle: Mapped[str | None]
    profile_picture_url: Mapped[str | None]
    location: Mapped[str]
    price_from_minor: Mapped[int | None]
    currency: Mapped[str | None]
    rating_avg: Mapped[float]
    rating_count: Mapped[int]
    book_count: Mapped[int]
    created_at: Mapped[datetime]
    categories: Mapped[list["ProviderCategory"]] = relationship(order_by="ProviderCategory.position")


class ProviderCategory(Base):
    __tablename__ = "providers_provider_category"

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]


class Card(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    business_name: str
    profile_picture_url: str | None
    custom_subtitle: str | None
    location: str
    service_categories: list[str]
    price_from_minor: int | None
    currency: str | None
    rating: float | None
    rating_count: int
    book_count: int


class CardList(BaseModel):
    data: list[Card]
    total: int


engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=10)
new_session = async_sessionmaker(engine, expire_on_commit=False)
cache = Redis.from_url(os.environ["PEER_REDIS_URL"])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await cache.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
ORDERS: dict[str, ColumnElement[Any]] = {
    "most_booked": Provider.book_count.desc(),
    "top_rated": Provider.rating_avg.desc(),
    "newest": Provider.created_at.desc(),
}


@app.get("/providers", response_model=CardList)
async def list_providers(
    vertical: str | None = None,
    category: str | None = None,
    sort: str = "most_booked",
    page: int = 1,
    limit: int = 12,
) -> object:
    key = f"providers:{vertical}:{category}:{sort}:{page}:{limit}"
    if (cached := await cache.get(key)) is not None:
        return json.loads(cached)
    async with new_session() as session:
        found = await find(session, vertical=vertical, category=category, sort=sort, page=page, limit=limit)
    await cache.set(key, found.model_dump_json(), ex=TTL_SECONDS)
    return found


@app.get("/providers-bytes")
async def list_providers_as_bytes(
    vertical: str | None = None,
    category: str | None = None,
    sort: str = "most_booked",
    page: int = 1,
    limit: int = 12,
) -> Response:
    key = f"providers-bytes:{vertical}:{category}:{sort}:{page}:{limit}"
    body = await cache.get(key)
    if body is None:
        async with new_session() as session:
            found = await find(session, vertical=vertical, category=category, sort=sort, page=page, limit=limit)
        body = found.model_dump_json().encode()
        await cache.set(key, body, ex=TTL_SECONDS)
    return Response(body, media_type="application/json")


async def find(
    session: AsyncSession, *, vertical: str | None, category: str | None, sort: str, page: int, limit: int
) -> CardList:
    matching = select(Provider).where(Provider.status == "approved")
    if vertical is not None:
        matching = matching.where(Provider.vertical == vertical)
    if category is not None:
        matching = matching.where(Provider.categories.any(ProviderCategory.category == category))
    total = await session.scalar(select(func.count()).select_from(matching.subquery()))
    page_of = matching.order_by(ORDERS[sort], Provider.id).limit(limit).offset((page - 1) * limit)
    providers = await session.scalars(page_of.options(selectinload(Provider.categories)))
    return CardList(data=[card(provider) for provider in providers], total=total or 0)


def card(provider: Provider) -> Card:
    return Card(
        id=provider.id,
        slug=provider.slug,
        business_name=provider.business_name,
        profile_picture_url=provider.profile_picture_url,
        custom_subtitle=provider.custom_subtitle,
        location=provider.location,
        service_categories=[each.category for each in provider.categories],
        price_from_minor=provider.price_from_minor,
        currency=provider.currency,
        rating=provider.rating_avg or None,
        rating_count=provider.rating_count,
        book_count=provider.book_count,
    )
