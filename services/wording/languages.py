"""A guess at whether words are English, without a model: prompts are short, so function words and letters must do.

It errs towards English: a prompt that is taken for English is drawn as it stands, as if nothing were set.
"""

from typing import Final

from lazy import pattern

FOREIGN_SHARE: Final = 0.3  # of letters in a script that English is not written in
_WORD: Final = pattern(r"[^\W\d_]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENGLISH: Final = _set(
    "a an the of and or with at on by for from to is are was it its his her their this that these those into under "
    "over near behind between through while very no not as"
)
# Of German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish and Turkish, without what is English too.
_FOREIGN: Final = _set(
    "der das den dem des ein eine einen einem einer und mit auf im ist sind von zu nicht unter über vor hinter aus "
    "beim le la les un une du et avec sur dans est sont aux sous devant derrière qui que "
    "el los las una unos unas y con sobre en es son del al por para bajo detrás "
    "o os uma um e com em na nas nos da dos das é são ao pela pelo "
    "il lo gli di che su nel nella della dei delle è sono sotto davanti "
    "het een van op met niet zijn onder voor achter naar "
    "w z ze pod nad przy jest są i oraz "
    "ett och på med som är av bakom "
    "ve bir ile için bu"
) - _set("under on an is i")


def is_english(text: str) -> bool:
    """Return whether a prompt seems to be English, or is so short of words that nobody can tell."""
    words = [word.casefold() for word in _WORD.findall(text)]
    letters = "".join(words)
    if not letters:
        return True
    if sum(ord(letter) > 0x24F for letter in letters) / len(letters) > FOREIGN_SHARE:  # past Latin
        return False
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN or not word.isascii() for word in words)
    return foreign <= english
