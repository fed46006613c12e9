"""The codes of looks, `k7f2`: short enough to be said, of letters and digits that are not mistaken for others."""

import secrets
from typing import Final

from lazy import pattern

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"
_DIGITS: Final = "23456789"
CODE_CHARS: Final = 4
# Always both, so that no word and no number of Midjourney's `--sref` is one.
CODE: Final = r"(?=[0-9]*[a-z])(?=[a-z]*[0-9])[a-z0-9]{4}(?![\w-])"
_CODE: Final = pattern(CODE)


def new_code() -> str:
    """Draw a code."""
    while True:
        code = "".join(secrets.choice(_LETTERS + _DIGITS) for __ in range(CODE_CHARS))
        if is_code(code):
            return code


def is_code(text: str) -> bool:
    return bool(_CODE.fullmatch(text))
