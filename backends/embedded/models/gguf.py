"""The head of a `.gguf` file: names of weights, their shapes, and how they are packed.

Source: the format's own description (ggml, docs/gguf.md). Numbers are little-endian; shapes stand the other way round.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from lazy import dataclass

SUFFIX: Final = ".gguf"
MAGIC: Final = b"GGUF"
VERSIONS: Final = frozenset({2, 3})
MOST_HEADER_BYTES: Final = 64 * 2**20
MOST_WEIGHTS: Final = 100_000
TEXT: Final = 8  # numbers of kinds of values
LIST: Final = 9
WIDTHS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
# Ways of packing that the diffusers library unpacks, by ggml's numbers.
UNPACKED: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
    13: "Q5_K", 14: "Q6_K", 20: "IQ4_NL", 23: "IQ4_XS", 30: "BF16",
}  # fmt: skip
OTHERS: Final = {
    9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S",
    29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GgufHead:
    """The weights of a file: shapes by name, as torch has them, and names of ways of packing."""

    shapes: Mapping[str, tuple[int, ...]]
    packings: frozenset[int]

    @property
    def unread(self) -> list[str]:
        """Return the ways of packing that cannot be unpacked here."""
        return sorted(OTHERS.get(number, str(number)) for number in self.packings if number not in UNPACKED)


def read_head(path: Path) -> GgufHead | None:
    """Return what stands at the head of a file; None where it is damaged, or of another form."""
    try:
        with path.open("rb") as file:
            return _Reader(file).head()
    except (OSError, ValueError, struct.error):
        return None


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def head(self) -> GgufHead:
        if self._take(4) != MAGIC or self._number(4) not in VERSIONS:
            raise ValueError("another form")  # no text: caught here
        weights, values = self._number(8), self._number(8)
        if weights > MOST_WEIGHTS or values > MOST_WEIGHTS:
            raise ValueError("too many")  # no text: the same
        for _value in range(values):
            self._skip(self._number(8))
            self._skip_value(self._number(4))
        shapes, packings = {}, set()
        for _weight in range(weights):
            name = self._take(self._number(8)).decode("utf-8", "replace")
            sizes = tuple(self._number(8) for _size in range(self._number(4)))
            shapes[name] = sizes[::-1]
            packings.add(self._number(4))
            self._skip(8)
        return GgufHead(shapes=shapes, packings=frozenset(packings))

    def _skip_value(self, kind: int) -> None:
        if kind == TEXT:
            self._skip(self._number(8))
        elif kind == LIST:
            kind, count = self._number(4), self._number(8)
            if kind in WIDTHS:
                self._skip(WIDTHS[kind] * count)
                return
            for _item in range(count):
                self._skip_value(kind)
        elif kind in WIDTHS:
            self._skip(WIDTHS[kind])
        else:
            raise ValueError("an unknown kind")  # no text: the same

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _take(self, count: int) -> bytes:
        if count > MOST_HEADER_BYTES or len(taken := self._file.read(count)) < count:
            raise ValueError("it ends too soon")  # no text: the same
        return taken

    def _skip(self, count: int) -> None:
        if count > MOST_HEADER_BYTES or self._file.tell() > MOST_HEADER_BYTES:
            raise ValueError("too long")  # no text: the same
        self._file.seek(count, 1)
