"""One uploaded file, taken from a form as it comes in: nothing of it is kept before its policy was found right."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from fairground.platform.storage.disk import errors_told
from fairground.platform.storage.policy import UploadRefused, UploadTaken, too_large
from fairground.platform.storage.spooling import open_unnamed_file
from fairground.platform.storage.store import Store

FORM_MAX_BYTES: Final = 256 * 1024 * 1024  # what a route that receives files says; each file's own bound is far less
_BESIDE_FILE_MAX_BYTES: Final = 16 * 1024  # names and values of fields, of which our forms have less than 2 KiB
_UPLOAD_SECONDS: Final = 900  # a large picture over a bad line
_FILE_FIELD: Final = "file"


class Form:
    """Reads multipart/form-data: fields first, then one file, which is the last that is looked at."""

    def __init__(self, content_type: str) -> None:
        """Take the header of the request.

        Raises:
            UploadRefused: It is no such form.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise UploadRefused("A file is sent as multipart/form-data.")
        self.fields: dict[str, str] = {}
        self.has_file_begun = False
        self.has_file_ended = False
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        self._beside_file_bytes = 0
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
        """Take what has come in, and return what of it belongs to the file."""
        self._content = []
        try:
            self._parser.write(received)
        except MultipartParseError as error:
            raise UploadRefused("The form cannot be read.") from error
        return self._content

    @property
    def _is_file(self) -> bool:
        return self._name == _FILE_FIELD

    def _begin_part(self) -> None:
        self._count(1)  # a part of nothing takes time, too
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
            raise UploadRefused("The form has more than one file.")
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
        self._beside_file_bytes += count_bytes
        if self._beside_file_bytes > _BESIDE_FILE_MAX_BYTES:
            raise UploadRefused("The fields of the form are too long.")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that has come in whole, and the fields that came before it."""

    fields: Mapping[str, str]
    file: BinaryIO


@asynccontextmanager
async def received_file(
    content_type: str, body: AsyncIterator[bytes], *, spool: Path, bound: Callable[[Mapping[str, str]], int]
) -> AsyncIterator[SentFile]:
    """Take one form, and give its file for as long as the block runs.

    Args:
        content_type: The header of the request.
        spool: A folder on the disk, in which the file has no name.
        bound: Says of the fields how many bytes the file may have, or raises why it may not come.

    Raises:
        UploadRefused: It is no such form, has no file, or broke off.
        UploadTooLarge: The file is larger than allowed; the rest of it is not read.
    """
    form = Form(content_type)
    with await open_unnamed_file(spool) as file:
        try:
            async with asyncio.timeout(_UPLOAD_SECONDS):
                await _read_form(form, body, file=file, bound=bound)
        except (ClientDisconnect, TimeoutError):
            raise UploadRefused("The form broke off.") from None
        yield SentFile(form.fields, file)


async def _read_form(
    form: Form, body: AsyncIterator[bytes], *, file: BinaryIO, bound: Callable[[Mapping[str, str]], int]
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
            with errors_told():
                await asyncio.to_thread(file.write, content)
    if max_bytes is None or not form.has_file_ended:
        raise UploadRefused("The form has no file, or broke off.")
    if not size_bytes:
        raise UploadRefused("The file is empty.")


class Receiver:
    """Takes uploads at this server's own route, for any store."""

    def __init__(self, store: Store, *, spool: Path) -> None:
        """Put files into the store once they are whole; until then they have no name.

        Args:
            spool: A folder on the disk that holds them meanwhile.
        """
        self._store = store
        self._spool = spool

    async def receive(self, content_type: str, body: AsyncIterator[bytes]) -> str:
        """Take one form, and return the key under which its file lies.

        Raises:
            UploadRefused: It is not a form that this server has given, or it broke off.
            UploadTooLarge: The file is larger than allowed; the rest of it is not read.
            UploadTaken: This form has brought a file already.
        """
        async with received_file(content_type, body, spool=self._spool, bound=self._store.gate.check_upload) as sent:
            key = sent.fields["key"]
            if not await self._store.put(key, sent.file):
                raise UploadTaken("This form has brought a file already.")
        return key
