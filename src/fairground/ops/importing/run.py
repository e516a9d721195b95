"""Run an import: rows in batches, and a summary that adds up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from fairground.contracts.catalog import IMPORT_MAX_ROWS, Catalog, ImportedProvider
from fairground.ops.importing.faults import ImportRefused, RowFault
from fairground.ops.importing.mapping import ProviderMap, RowMapper, check_columns
from fairground.ops.importing.records import Record, Source, open_source
from fairground.ops.importing.rejects import RejectFile
from fairground.verticals.schema import Vertical


@dataclass
class Summary:
    """What became of every row: `read` is the sum of the others."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    reject_file: Path | None = None

    @property
    def adds_up(self) -> bool:
        return self.read == self.created + self.updated + self.unchanged + self.rejected


@dataclass(frozen=True)
class Batch:
    """Rows that were read together: those to be written, and those that cannot be."""

    providers: list[ImportedProvider]
    rejected: list[tuple[Record, RowFault]]
    read_bytes: int
    """How far into the file they reach."""


_Take = Callable[[list[ImportedProvider], Summary], Awaitable[None]]


class Listener(Protocol):
    """Hears how the import goes."""

    def rejected(self, record: Record, fault: RowFault) -> None: ...

    def progressed(self, summary: Summary, *, read_bytes: int) -> None: ...


@dataclass(frozen=True)
class Import:
    """One file to be imported into one vertical."""

    path: Path
    vertical: Vertical
    provider_map: ProviderMap
    catalog: Catalog
    listener: Listener

    async def run(self) -> Summary:
        """Write every good row, 500 in a transaction; repeat it at will.

        Raises:
            ImportRefused: The map or the currency does not fit and nothing was written, or the file breaks off in a
                way that leaves no rows to name; what stood before that is kept.
        """
        return await self._run(self._write)

    async def rehearse(self) -> Summary:
        """Check every row and write nothing; `created` counts the rows that would be taken."""

        async def count(batch: list[ImportedProvider], summary: Summary) -> None:
            summary.created += len(batch)

        return await self._run(count)

    async def _run(self, take: _Take) -> Summary:
        await self._check_currency()
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise ImportRefused(f"{self.path} cannot be read: {error.strerror}. Name a file that is there.") from None
        with file:
            source = open_source(self.path, file)
            check_columns(self.provider_map, source.columns)
            return await self._take_all(source, file, take)

    async def _take_all(self, source: Source, file: BinaryIO, take: _Take) -> Summary:
        summary, rejects = Summary(), RejectFile(self.path, source)
        batches = self._batches(source, file)
        batch = next(batches, None)
        while batch is not None:
            # Rows are read and mapped while the database works on those before them.
            following = asyncio.get_running_loop().run_in_executor(None, next, batches, None)
            try:
                await take(batch.providers, summary)
            finally:
                await asyncio.wait([following])  # the file is open until then
            self._tell(batch, summary, rejects)
            batch = await following
        summary.reject_file = rejects.close()
        return summary

    def _tell(self, batch: Batch, summary: Summary, rejects: RejectFile) -> None:
        for record, fault in batch.rejected:
            rejects.add(record)
            self.listener.rejected(record, fault)
        summary.rejected += len(batch.rejected)
        summary.read += len(batch.providers) + len(batch.rejected)
        self.listener.progressed(summary, read_bytes=batch.read_bytes)

    async def _check_currency(self) -> None:
        currency = await self.catalog.get_currency()
        if self.provider_map.currency != currency:
            raise ImportRefused(
                f"The map's prices are in {self.provider_map.currency}, this installation's in {currency}."
                f" Convert them, or import where FAIRGROUND_CATALOG_CURRENCY={self.provider_map.currency}."
            )

    async def _write(self, batch: list[ImportedProvider], summary: Summary) -> None:
        outcome = await self.catalog.import_providers(
            vertical=self.vertical.key, source=self.provider_map.source, providers=batch
        )
        summary.created += outcome.created
        summary.updated += outcome.updated
        summary.unchanged += outcome.unchanged

    def _batches(self, source: Source, file: BinaryIO) -> Iterator[Batch]:
        mapper, first_lines = RowMapper(self.provider_map, self.vertical), dict[str, int]()
        providers: list[ImportedProvider] = []
        rejected: list[tuple[Record, RowFault]] = []
        for record in source.records:
            try:
                providers.append(_take(record, mapper, first_lines))
            except RowFault as fault:
                rejected.append((record, fault))
            if len(providers) + len(rejected) == IMPORT_MAX_ROWS:
                yield Batch(providers, rejected, file.tell())
                providers, rejected = [], []
        if providers or rejected:
            yield Batch(providers, rejected, file.tell())


def _take(record: Record, mapper: RowMapper, first_lines: dict[str, int]) -> ImportedProvider:
    if record.fault is not None:
        raise record.fault
    provider = mapper.provider_of(record.fields)
    first_line = first_lines.setdefault(provider.external_id, record.line)
    if first_line != record.line:
        column = mapper.label("external_id")
        raise RowFault(column, f"{provider.external_id!r} stands on line {first_line} as well", "keep one of the two")
    return provider
