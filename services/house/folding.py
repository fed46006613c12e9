"""Text as words are compared: what looks the same reads the same.

Compatibility forms of Unicode are folded (full width, mathematical letters), and so is case. Letters with marks lose
them, what nobody sees is removed, a letter of another script among Latin ones becomes the Latin one it looks like, and
letters with something between each (n.u.d.e) are one word. Anything but letters and digits ends a word.
"""

import unicodedata
from typing import Final

from lazy import pattern

_MARKS: Final = pattern("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe2f\U000e0000-\U000e01ef]")
_NO_WORD: Final = pattern(r"[\W_]+")
_SPELLED: Final = pattern(r"(?<=\s)\w(?:\s\w){2,}(?=\s)")
# What weights and groups parts of a prompt stands inside words too, and an engine reads the word all the same.
_WEIGHT: Final = pattern(r"[()\[\]{}\\]")
_LATIN: Final = pattern("[a-z]")
_ALIKE: Final = str.maketrans("авекмнорстухіјѕԁһԛԝαβεικνορτυχω", "abekmhopctyxijsdhqwabeikvoptuxw")
_SMALL_CAPITALS: Final = str.maketrans("ɑɡıɪɴʀʏʙɢʜʟᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ", "agiinrybghlacdejkmoptuvwz")
_BLOCKS: Final = ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # squared, circled, flags: no other form


def folded(text: str) -> str:
    """Return a text without what only looks different; punctuation and spaces stay."""
    plain = "".join(map(_letter, unicodedata.normalize("NFKD", text)))
    bare = "".join(letter for letter in _MARKS.sub("", plain) if unicodedata.category(letter) != "Cf")
    # once more, since case folding may leave what has another form
    cased = unicodedata.normalize("NFKC", unicodedata.normalize("NFC", bare).casefold())
    return " ".join(map(_latin, cased.split()))


def spaced(text: str) -> str:
    """Return the words of a text that is folded, each with a space on both sides."""
    return f" {_NO_WORD.sub(' ', text).strip()} "


def readings(text: str) -> tuple[str, ...]:
    """Return a text as its words may be read: as they stand, over marks of weight, and with spelled letters joined."""
    plain = folded(text)
    found = [spaced(plain), spaced(_WEIGHT.sub("", plain))]
    found += [_SPELLED.sub(lambda match: match[0].replace(" ", ""), reading) for reading in found]
    return tuple(dict.fromkeys(found))


def _letter(letter: str) -> str:
    for first, count in _BLOCKS:
        if first <= ord(letter) < first + count:
            return chr(ord("a") + ord(letter) - first)
    return letter


def _latin(word: str) -> str:
    if word.isascii():
        return word
    word = word.translate(_SMALL_CAPITALS)
    return word.translate(_ALIKE) if _LATIN.search(word) else word
