"""Lists that prompts choose from: `__animal__` is a line of `animal.txt` in the folder WILDCARDS_PATH.

An admin edits the files; they are read again when they change. One line is one choice, `#` begins a remark, and
`__colours/warm__` is a file in a folder. Nothing here is written.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from generation.request import Draft, draw_seed
from generation.wildcards import MAX_DEPTH, filled, has_wildcards, names_in
from lazy import dataclass
from texts.text import _

log = logging.getLogger(__name__)

MAX_FILES: Final = 2_000
MAX_FILE_BYTES: Final = 1_000_000
MAX_LINE_CHARS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class _WildcardFile:
    changed_at: tuple[int, int]  # ns, bytes
    lines: tuple[str, ...]


class WildcardService:
    """Reads the lists that prompts name, again when their files have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, _WildcardFile] = {}

    async def names(self) -> list[str]:
        """Return the names of all lists."""
        return sorted(await asyncio.to_thread(self._files))

    async def fill(self, drafts: Sequence[Draft]) -> tuple[list[Draft], tuple[str, ...]]:
        """Return drafts with words in place of their wildcards, and remarks on names that have no list.

        A draft with wildcards and without a seed gets one: what it chose can be made again.
        """
        if not any(map(has_wildcards, drafts)):
            return [*drafts], ()
        lists, remarks = await asyncio.to_thread(self._lists, _wanted(drafts))
        if not lists:
            return [*drafts], remarks
        made = [
            filled(each, lists, draw_seed() if each.seed is None else each.seed) if has_wildcards(each) else each
            for each in drafts
        ]
        return made, remarks

    def _lists(self, wanted: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        files = self._files()
        lists: dict[str, tuple[str, ...]] = {}
        remarks = [_unknown(name, files) for name in dict.fromkeys(wanted) if files and name not in files]
        new = [name for name in wanted if name in files]
        for __ in range(MAX_DEPTH):
            for name in new:
                lists[name] = self._lines(files[name])
            inner = (name for first in new for line in lists[first] for name in names_in(line))
            new = [name for name in dict.fromkeys(inner) if name in files and name not in lists]
        return {name: lines for name, lines in lists.items() if lines}, tuple(remarks)

    def _files(self) -> dict[str, Path]:
        """Return the files by the names that prompts have for them."""
        if not self._folder.is_dir():
            return {}
        root = self._folder.resolve()
        files: dict[str, Path] = {}
        for path in sorted(root.rglob("*.txt"))[:MAX_FILES]:
            if path.resolve().is_relative_to(root) and path.is_file():  # a link leads to no other file of this machine
                files.setdefault(path.relative_to(root).with_suffix("").as_posix().casefold(), path)
        return files

    def _lines(self, path: Path) -> tuple[str, ...]:
        try:
            about = path.stat()
            known, changed_at = self._read.get(path), (about.st_mtime_ns, about.st_size)
            if known is None or known.changed_at != changed_at:
                if about.st_size > MAX_FILE_BYTES:
                    log.warning("%s is larger than 1 MB and was left out", path.name)
                    return ()
                lines = tuple(_lines_of(path.read_text("utf-8-sig", errors="replace")))
                known = self._read[path] = _WildcardFile(changed_at=changed_at, lines=lines)
        except OSError as error:
            log.warning("%s cannot be read: %s", path.name, error)
            return ()
        return known.lines


def _wanted(drafts: Sequence[Draft]) -> list[str]:
    texts = (text for each in drafts for text in (each.prompt, each.negative_prompt or ""))
    return [*dict.fromkeys(name for text in texts for name in names_in(text))]


def _lines_of(text: str) -> Iterable[str]:
    for line in text.splitlines():
        plain = " ".join(line.split())
        if plain and not plain.startswith("#") and len(plain) <= MAX_LINE_CHARS:
            yield plain


def _unknown(name: str, files: Iterable[str]) -> str:
    near = get_close_matches(name, files, n=1)
    if near:
        return _("“__{name}__” was read as words: did you mean __{near}__?", name=name, near=near[0])
    return _("“__{name}__” was read as words: there is no such wildcard", name=name)
