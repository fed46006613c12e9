"""An order: what somebody asked for at a door, in ids, addresses and words only.

It is complete enough to be carried out by another process than the one that heard it.
"""

from dataclasses import field, fields
from enum import StrEnum
from functools import cache
from typing import Any, Final

from generation.quick import PICTURES
from generation.request import Draft, draft_from_json, draft_to_json
from lazy import dataclass
from texts.text import text_from_json, text_to_json


class OrderKind(StrEnum):
    """The task of an order."""

    DRAW = "draw"  # words, from a picture if there is one; `repeat` times
    AGAIN = "again"  # the job `job_id` once more, with what the draft says
    COMPARE = "compare"  # words on several `engines`
    VERSUS = "versus"  # the words of `draft` and of its one other on one engine, with a vote of so many `hours`
    CHANGE = "change"  # something from a picture: larger, or more around it
    INPAINT = "inpaint"  # a part of a picture again; the second file is the mask
    STYLE = "style"  # a picture in a style; the second file, if there is one, is a picture of that style
    CONTROL = "control"  # after the pose, the edges or the depth of a picture: the draft's first unit lacks it
    NEAREST = "nearest"  # words of elsewhere, without the model and LoRAs that are not here
    VARY = "vary"  # as CHANGE, by a second seed where the engine has one
    FINISH = "finish"  # one picture of the draft `job_id` in full
    PICK = "pick"  # one picture of the job `job_id` alone
    CANCEL = "cancel"  # end the job `job_id`: the last step of an edit that replaces it


@dataclass(frozen=True, kw_only=True)
class Order:
    """One request of a person, as it was said."""

    kind: OrderKind
    draft: Draft = field(default_factory=Draft)
    others: tuple[Draft, ...] = ()  # of the other choices in braces, to be drawn beside it
    fills: bool = False  # the words have wildcards, to be filled when it is carried out
    notes: tuple[str, ...] = ()
    repeat: int = 1
    files: tuple[str, ...] = ()  # addresses of what was attached: pictures; one and its mask; or a file of words
    names: tuple[str, ...] = ()  # of these files, as people know them
    link: str = ""  # address that was typed, of a picture anywhere; only where no file is
    media_id: str = ""  # the picture is one of ours; the file is a copy of it
    job_id: str = ""  # what is done again, or whose picture it is
    index: int = 0  # of the picture, where the job has several
    drop: tuple[str, ...] = ()  # what of the job's request is forgotten
    engines: tuple[str, ...] = ()
    hours: float = 0.0
    is_spoiler: bool | None = None  # None: as who asks always wants it
    agreed_usd: float = 0.0  # who asks has agreed that all of it costs so much
    replaces: bool = False  # the job ends where the new one is accepted

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return (self.draft, *self.others)

    @property
    def pictures(self) -> int:
        """Return how many it asks for."""
        return self.repeat * sum(each.batch_size or (PICTURES if each.draft else 1) for each in self.drafts)


_LISTS: Final = ("notes", "files", "names", "drop", "engines")


def order_to_json(order: Order) -> dict[str, Any]:
    """Return plain JSON values."""
    notes = [text_to_json(note) for note in order.notes]
    drafts = {"draft": draft_to_json(order.draft), "others": [draft_to_json(each) for each in order.others]}
    plain = {name: getattr(order, name) for name in _plain_fields()}  # `asdict` would copy each value, the draft's too
    return plain | {"kind": order.kind.value, "notes": notes} | drafts


@cache
def _plain_fields() -> tuple[str, ...]:
    return tuple(f.name for f in fields(Order) if f.name not in ("kind", "draft", "others", "notes"))


def order_from_json(values: dict[str, Any]) -> Order:
    """Read what `order_to_json` wrote; fields unknown to this version are passed over."""
    known = {f.name: values[f.name] for f in fields(Order) if f.name in values}
    lists = {name: tuple(known.get(name, ())) for name in _LISTS}
    lists["notes"] = tuple(map(text_from_json, lists["notes"]))
    lists["others"] = tuple(map(draft_from_json, known.get("others", ())))
    return Order(**{**known, **lists, "kind": OrderKind(known["kind"]), "draft": draft_from_json(known["draft"])})
