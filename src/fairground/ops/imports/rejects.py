"""The rows that were not taken: in a file that can be corrected and imported again, with a report beside it."""

import os
from pathlib import Path
from typing import IO

from fairground.ops.imports.faults import ImportRefused, RowFault
from fairground.ops.imports.source import Record, Source


class RejectFile:
    """Written beside the import's file as `<name>.rejected<suffix>`, and only when a row is rejected."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path.with_name(f"{path.stem}.rejected{path.suffix}")
        self._source = source
        self._file: IO[bytes] | None = None

    def add(self, record: Record) -> None:
        if self._file is None:
            self._file = self._open()
            self._file.write(self._source.header)
        else:
            self._file.write(self._source.separator)
        self._file.write(record.raw)
        if not self._source.separator and not record.raw.endswith(b"\n"):
            self._file.write(b"\n")

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("wb")
        except OSError as error:
            raise ImportRefused(
                f"{self.path}, which keeps the rows that do not fit, cannot be written: {error.strerror}."
                " Copy the file into a folder of yours and import it there; what was written already stays."
            ) from None

    def close(self) -> Path | None:
        """Finish the file; return where it is, or None when nothing was rejected."""
        if self._file is None:
            return None
        self._file.write(self._source.footer)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.path


def describe(record: Record, fault: RowFault) -> str:
    where = f"line {record.line}" + (f", {fault.column}" if fault.column else "")
    return f"{where}: {fault.reason}; {fault.mend}."
