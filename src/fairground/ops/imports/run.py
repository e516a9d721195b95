"""One run of an import: rows in batches, and a summary that adds up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from fairground.contracts.imports import ImportedProvider, Imports
from fairground.contracts.providers import IMPORT_MAX_ROWS, Providers
from fairground.ops.imports.formats import open_source
from fairground.ops.imports.mapping import ProviderMap, RowMapper, check_columns
from fairground.ops.imports.records import ImportRefused, Record, RejectFile, RowFault, Source
from fairground.verticals.schema import Vertical

_BATCH_MAX_BYTES: Final = 16 * 1024 * 1024  # rows with pictures in them are large


@dataclass
class Summary:
    """What became of every row: `read` is the sum of the others."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    pictures: int = 0
    """New ones, which wait to be made into files."""
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


_BatchWriter = Callable[[list[ImportedProvider], Summary], Coroutine[Any, Any, None]]


class Listener(Protocol):
    """Is notified of rejected rows and of progress."""

    def rejected(self, record: Record, fault: RowFault) -> None: ...

    def progressed(self, summary: Summary, *, read_bytes: int) -> None: ...


@dataclass(frozen=True)
class Import:
    """One file to be imported into one vertical."""

    path: Path
    vertical: Vertical
    provider_map: ProviderMap
    providers: Providers
    imports: Imports
    listener: Listener

    async def run(self) -> Summary:
        """Write every good row, 500 in a transaction; repeating it is safe.

        Raises:
            ImportRefused: The map or the currency does not fit and nothing was written, or the file breaks off in a
                way that leaves no rows to name; the rows before that are kept.
        """
        return await self._run(self._write)

    async def rehearse(self) -> Summary:
        """Check every row and write nothing; `created` counts the rows that would be written."""

        async def count(batch: list[ImportedProvider], summary: Summary) -> None:
            summary.created += len(batch)

        return await self._run(count)

    async def _run(self, write: _BatchWriter) -> Summary:
        await self._check_currency()
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise ImportRefused(f"{self.path} cannot be read: {error.strerror}. Name a file that is there.") from None
        with file:
            source = open_source(
                self.path, file, encoding=self.provider_map.encoding, map_columns=self.provider_map.fields.columns
            )
            check_columns(self.provider_map, source.columns)
            return await self._import_all(source, file, write)

    async def _import_all(self, source: Source, file: BinaryIO, write: _BatchWriter) -> Summary:
        summary, rejects = Summary(), RejectFile(self.path, source)
        batches = self._batches(source, file)
        writing: tuple[Batch, asyncio.Task[None]] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    # While the database works on a batch, the next one is read and mapped, and then checked.
                    while (batch := await _in_thread(batches)) is not None:
                        before, writing = writing, (batch, group.create_task(write(batch.providers, summary)))
                        await self._end(before, summary, rejects)
                finally:
                    await self._end(writing, summary, rejects)  # also when the file breaks off
        except ExceptionGroup as failures:
            # The task group wraps the error; callers expect the error itself.
            raise failures.exceptions[0] from None
        summary.reject_file = rejects.close()
        return summary

    async def _end(
        self, writing: tuple[Batch, asyncio.Task[None]] | None, summary: Summary, rejects: RejectFile
    ) -> None:
        if writing is not None:
            batch, task = writing
            await task
            self._report(batch, summary, rejects)

    def _report(self, batch: Batch, summary: Summary, rejects: RejectFile) -> None:
        for record, fault in batch.rejected:
            rejects.add(record)
            self.listener.rejected(record, fault)
        summary.rejected += len(batch.rejected)
        summary.read += len(batch.providers) + len(batch.rejected)
        self.listener.progressed(summary, read_bytes=batch.read_bytes)

    async def _check_currency(self) -> None:
        currency = await self.providers.get_currency()
        if self.provider_map.currency != currency:
            raise ImportRefused(
                f"The map's prices are in {self.provider_map.currency}, this installation's in {currency}."
                f" Convert them, or import where FAIRGROUND_CATALOG_CURRENCY={self.provider_map.currency}."
            )

    async def _write(self, batch: list[ImportedProvider], summary: Summary) -> None:
        outcome = await self.imports.import_providers(
            vertical=self.vertical.key, source=self.provider_map.source, providers=batch
        )
        summary.created += outcome.created
        summary.updated += outcome.updated
        summary.unchanged += outcome.unchanged
        summary.pictures += outcome.pictures

    def _batches(self, source: Source, file: BinaryIO) -> Iterator[Batch]:
        mapper, first_lines = RowMapper(self.provider_map, self.vertical), dict[str, int]()
        providers: list[ImportedProvider] = []
        rejected: list[tuple[Record, RowFault]] = []
        held_bytes = 0
        for record in source.records:
            try:
                providers.append(_map_record(record, mapper, first_lines))
            except RowFault as fault:
                rejected.append((record, fault))
            held_bytes += len(record.raw)
            if len(providers) + len(rejected) == IMPORT_MAX_ROWS or held_bytes > _BATCH_MAX_BYTES:
                yield Batch(providers, rejected, file.tell())
                providers, rejected, held_bytes = [], [], 0
        if providers or rejected:
            yield Batch(providers, rejected, file.tell())


async def _in_thread(batches: Iterator[Batch]) -> Batch | None:
    next_batch = asyncio.get_running_loop().run_in_executor(None, next, batches, None)
    try:
        return await asyncio.shield(next_batch)
    finally:
        await asyncio.wait([next_batch])  # the file is open until then


def _map_record(record: Record, mapper: RowMapper, first_lines: dict[str, int]) -> ImportedProvider:
    if record.fault is not None:
        raise record.fault
    provider = mapper.provider_of(record.fields)
    first_line = first_lines.setdefault(provider.external_id, record.line)
    if first_line != record.line:
        column = mapper.label("external_id")
        raise RowFault(column, f"{provider.external_id!r} stands on line {first_line} as well", "keep one of the two")
    return provider
