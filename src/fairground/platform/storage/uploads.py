"""Uploads through this server: the file of a form is streamed to a disk after its policy was checked."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from fairground.platform.private_files import make_private_folder
from fairground.platform.storage.signed_urls import UploadRefused, UploadTaken, too_large
from fairground.platform.storage.store import Store, disk_errors

FORM_MAX_BYTES: Final = 256 * 1024 * 1024  # of a request that uploads a file; each file has a far lower bound
_FIELDS_MAX_BYTES: Final = 16 * 1024  # names and values of fields, of which our forms have less than 2 KiB
_UPLOAD_SECONDS: Final = 900  # a large picture over a bad line
_FILE_FIELD: Final = "file"


class MultipartForm:
    """Parses multipart/form-data: fields first, then one file; fields behind the file are ignored."""

    def __init__(self, content_type: str) -> None:
        """Start with the Content-Type of the request.

        Raises:
            UploadRefused: It is not multipart/form-data.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise UploadRefused("Send the file as multipart/form-data.")
        self.fields: dict[str, str] = {}
        self.has_file_begun = False
        self.has_file_ended = False
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        self._fields_bytes = 0
        self._content: list[bytes] = []
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._take_header_name,
                "on_header_value": self._take_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_value,
                "on_part_end": self._end_part,
            },
        )

    def feed(self, received: bytes) -> list[bytes]:
        """Parse received bytes, and return those that belong to the file."""
        self._content = []
        try:
            self._parser.write(received)
        except MultipartParseError as error:
            raise UploadRefused("The form is not valid.") from error
        return self._content

    @property
    def _is_file(self) -> bool:
        return self._name == _FILE_FIELD

    def _begin_part(self) -> None:
        self._count(1)  # an empty part costs time as well
        self._disposition, self._name, self._value = b"", "", bytearray()

    def _take_header_name(self, received: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header[0].extend(received[start:end])

    def _take_header_value(self, received: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header[1].extend(received[start:end])

    def _end_header(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        if self._is_file and self.has_file_begun:
            raise UploadRefused("The form contains more than one file.")
        self.has_file_begun = self.has_file_begun or self._is_file

    def _take_value(self, received: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._content.append(received[start:end])
            return
        self._count(end - start)
        self._value.extend(received[start:end])

    def _end_part(self) -> None:
        if self._is_file:
            self.has_file_ended = True
        elif not self.has_file_begun:
            self.fields[self._name] = self._value.decode(errors="replace")

    def _count(self, count_bytes: int) -> None:
        self._fields_bytes += count_bytes
        if self._fields_bytes > _FIELDS_MAX_BYTES:
            raise UploadRefused("The form fields are too long.")


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A whole file, and the fields before it."""

    fields: Mapping[str, str]
    file: BinaryIO


@asynccontextmanager
async def receive_file(
    content_type: str, body: AsyncIterator[bytes], *, spool: Path, bound: Callable[[Mapping[str, str]], int]
) -> AsyncIterator[ReceivedFile]:
    """Receive one form, and give its file for as long as the block runs.

    Args:
        content_type: The header of the request.
        spool: A folder on the disk, in which the file has no name.
        bound: Returns the maximum size of the file in bytes, by the fields, or raises the reason to refuse it.

    Raises:
        UploadRefused: It is not multipart/form-data, has no file, or broke off.
        UploadTooLarge: The file is larger than allowed; the rest of it is not read.
    """
    form = MultipartForm(content_type)
    with await open_unnamed_file(spool) as file:
        try:
            async with asyncio.timeout(_UPLOAD_SECONDS):
                await _read_form(form, body, file=file, bound=bound)
        except (ClientDisconnect, TimeoutError):
            raise UploadRefused("The upload was interrupted.") from None
        yield ReceivedFile(form.fields, file)


async def _read_form(
    form: MultipartForm, body: AsyncIterator[bytes], *, file: BinaryIO, bound: Callable[[Mapping[str, str]], int]
) -> None:
    max_bytes: int | None = None
    size_bytes = 0
    async for received in body:
        content = b"".join(form.feed(received))
        if max_bytes is None and form.has_file_begun:
            max_bytes = bound(form.fields)
        if max_bytes is not None and content:
            size_bytes += len(content)
            if size_bytes > max_bytes:
                raise too_large(max_bytes)
            with disk_errors():
                await asyncio.to_thread(file.write, content)
    if max_bytes is None or not form.has_file_ended:
        raise UploadRefused("The form has no file, or the upload was interrupted.")
    if not size_bytes:
        raise UploadRefused("The file is empty.")


class UploadReceiver:
    """Receives uploads at this server's own route, for any store."""

    def __init__(self, store: Store, *, spool: Path) -> None:
        """Put whole files into the store.

        Args:
            spool: A folder on the disk that holds them until then, without a name.
        """
        self._store = store
        self._spool = spool

    async def receive(self, content_type: str, body: AsyncIterator[bytes]) -> str:
        """Receive one form, and return the key of its file.

        Raises:
            UploadRefused: The form is not from this server, or broke off.
            UploadTooLarge: The file is larger than allowed; the rest of it is not read.
            UploadTaken: The form has been used already.
        """
        check = self._store.signer.check_upload
        async with receive_file(content_type, body, spool=self._spool, bound=check) as received:
            key = received.fields["key"]
            if not await self._store.put(key, received.file):
                raise UploadTaken("This upload form was already used.")
        return key


async def open_unnamed_file(folder: Path) -> BinaryIO:
    """Open a file without a name in the folder, so that nothing is left of it even after a crash."""
    return await asyncio.to_thread(_open, folder)


async def copy_object(store: Store, key: str, file: BinaryIO, *, max_bytes: int) -> None:
    """Write an object to a file.

    Raises:
        ObjectNotFound: There is none.
        UploadTooLarge: It is larger than that; nothing of it is read.
    """
    async with store.read(key) as content:
        if content.size_bytes > max_bytes:
            raise too_large(max_bytes)
        async for chunk in content.chunks:
            with disk_errors():
                await asyncio.to_thread(file.write, chunk)


def _open(folder: Path) -> BinaryIO:
    with disk_errors():
        make_private_folder(folder)
        return tempfile.TemporaryFile(dir=folder)
