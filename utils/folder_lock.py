"""One process per data folder: a lock that the system gives back when its holder ends, however it ends."""

import os
from pathlib import Path
from typing import IO, Self

from texts.text import _
from utils.secrets import make_private_file

FILE_NAME = "easel.lock"


class FolderInUse(Exception):
    """Another process works in that folder."""


class FolderLock:
    """Hold a folder while inside the `with` block.

    Raises:
        FolderInUse: somebody else holds it.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        make_private_file(self._path)
        file = self._path.open("r+b")
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise FolderInUse(
                _(
                    "Another Easel is already running with the data folder “{parent}”. Stop it first, "
                    "or give this one a folder of its own with DATA_DIR.",
                    parent=self._path.parent,
                )
            ) from error
        self._file = file
        return self

    def __exit__(self, *__: object) -> None:
        if self._file is not None:
            self._file.close()  # which also unlocks; the file stays, since removing it could race with another start


if os.name == "nt":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
