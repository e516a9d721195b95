"""One run of an import: rows in batches, and a summary that adds up."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

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
    """New embedded ones, which wait to be made into files."""
    addresses: int = 0
    """Pictures that are fetched in the background."""
    reject_file: Path | None = None

    @property
    def adds_up(self) -> bool:
        return self.read == self.created + self.updated + self.unchanged + self.rejected


class Origin(NamedTuple):
    """What the rows of one step have in common."""

    vertical: str
    source: str


@dataclass(frozen=True)
class Batch:
    """Rows that were read together: those to be written, and those that cannot be."""

    providers: dict[Origin, list[ImportedProvider]]
    rejected: list[tuple[Record, RowFault]]
    read_bytes: int
    """How far into the file they reach."""

    @property
    def provider_count(self) -> int:
        return sum(len(providers) for providers in self.providers.values())


_BatchWriter = Callable[[Batch, Summary], Coroutine[Any, Any, None]]


class Listener(Protocol):
    """Is notified of rejected rows and of progress."""

    def rejected(self, record: Record, fault: RowFault) -> None: ...

    def progressed(self, summary: Summary, *, read_bytes: int) -> None: ...


@dataclass(frozen=True)
class Import:
    """One file to be imported."""

    path: Path
    vertical: Vertical | None
    """Of the rows that name none."""
    provider_map: ProviderMap
    providers: Providers
    imports: Imports
    listener: Listener
    verticals: Iterable[Vertical] = ()
    """Those that rows may name."""

    async def run(self) -> Summary:
        """Write every good row, 500 in a transaction; repeating it is safe.

        Raises:
            ImportRefused: The map or the currency does not fit and nothing was written, or the file breaks off in a
                way that leaves no rows to name; the rows before that are kept.
        """
        return await self._run(self._write)

    async def rehearse(self) -> Summary:
        """Check every row and write nothing; `created` counts the rows that would be written."""

        async def count(batch: Batch, summary: Summary) -> None:
            summary.created += batch.provider_count

        return await self._run(count)

    async def _run(self, write: _BatchWriter) -> Summary:
        await self._check_currency()
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise ImportRefused(f"Can't read {self.path}: {error.strerror}. Check the file name.") from None
        with file:
            source = open_source(
                self.path,
                file,
                encoding=self.provider_map.encoding,
                delimiter=self.provider_map.delimiter,
                map_columns=self.provider_map.fields.columns,
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
                        before, writing = writing, (batch, group.create_task(write(batch, summary)))
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
        summary.read += batch.provider_count + len(batch.rejected)
        self.listener.progressed(summary, read_bytes=batch.read_bytes)

    async def _check_currency(self) -> None:
        currency = await self.providers.get_currency()
        if self.provider_map.currency != currency:
            raise ImportRefused(
                f"The map's prices are in {self.provider_map.currency}, but this installation uses {currency}. "
                f"Convert them, or import into an installation with FAIRGROUND_CURRENCY={self.provider_map.currency}."
            )

    async def _write(self, batch: Batch, summary: Summary) -> None:
        for origin, providers in batch.providers.items():
            outcome = await self.imports.import_providers(
                vertical=origin.vertical, source=origin.source, providers=providers
            )
            summary.created += outcome.created
            summary.updated += outcome.updated
            summary.unchanged += outcome.unchanged
            summary.pictures += outcome.pictures
            summary.addresses += outcome.addresses

    def _batches(self, source: Source, file: BinaryIO) -> Iterator[Batch]:
        reader = RowReader(self.provider_map, self.verticals, vertical=self.vertical)
        providers: dict[Origin, list[ImportedProvider]] = defaultdict(list)
        rejected: list[tuple[Record, RowFault]] = []
        row_count = held_bytes = 0
        for record in source.records:
            try:
                origin, provider = reader.read(record)
                providers[origin].append(provider)
            except RowFault as fault:
                rejected.append((record, fault))
            row_count += 1
            held_bytes += len(record.raw)
            if row_count == IMPORT_MAX_ROWS or held_bytes > _BATCH_MAX_BYTES:
                yield Batch(dict(providers), rejected, file.tell())
                providers, rejected, row_count, held_bytes = defaultdict(list), [], 0, 0
        if row_count:
            yield Batch(dict(providers), rejected, file.tell())


class RowReader:
    """Reads the rows of one file, each by the rules of its vertical; an external id may come once."""

    def __init__(self, provider_map: ProviderMap, verticals: Iterable[Vertical], *, vertical: Vertical | None) -> None:
        self._rule = provider_map.fields.vertical
        self._vertical = vertical
        packs = [*verticals, *([vertical] if vertical else [])]
        self._mappers = {pack.key: RowMapper(provider_map, pack) for pack in packs}
        self._first_lines: dict[tuple[str, str], int] = {}

    def read(self, record: Record) -> tuple[Origin, ImportedProvider]:
        """Raise RowFault when the row does not make a provider, or makes one of an earlier row."""
        origin, provider = self.map_row(record)
        first_line = self._first_lines.setdefault((origin.source, provider.external_id), record.line)
        if first_line != record.line:
            column = self._mappers[origin.vertical].label("external_id")
            reason = f"{provider.external_id!r} is already on line {first_line}"
            raise RowFault(column, reason, "keep one of the two")
        return origin, provider

    def map_row(self, record: Record) -> tuple[Origin, ImportedProvider]:
        """Raise RowFault when the row by itself does not make a provider."""
        if record.fault is not None:
            raise record.fault
        vertical = self._vertical_of(record.fields)
        mapper = self._mappers[vertical]
        return Origin(vertical, mapper.source_of(record.fields)), mapper.provider_of(record.fields)

    def _vertical_of(self, fields: dict[str, str]) -> str:
        named = self._rule.read(fields) if self._rule else ""
        if not named and self._vertical is not None:
            return self._vertical.key
        if named not in self._mappers:
            column = self._rule.label if self._rule else "vertical"
            raise RowFault(column, f"{named!r} is not a vertical", f"write one of {', '.join(self._mappers)}")
        return named


async def _in_thread(batches: Iterator[Batch]) -> Batch | None:
    next_batch = asyncio.get_running_loop().run_in_executor(None, next, batches, None)
    try:
        return await asyncio.shield(next_batch)
    finally:
        await asyncio.wait([next_batch])  # the file is open until then
