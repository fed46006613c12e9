"""A card as a layout: what stands where, and how much of a text a message takes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.cards import Button, Card, CardPicture, Choice, Menu
from cogs.wire.layout import BYTES_OF_A_TEXT, FLAG, MAX_BYTES, MAX_CHARS, bounded, layout_of
from cogs.wire.reading import complete, files_in, ids_in, text_in
from tests.discord_server.layout_limits import check_layout
from tests.discord_server.layout_parts import relink
from tests.discord_server.message_limits import check_message

PICTURE = CardPicture(data=b"x", filename="a-fox.png", alt_text="AI image: a fox")
BUTTON = Button(action="reroll", job_id="j", label="Re-roll", emoji="🎲", style="primary")
MENU = Menu(action="more", job_id="j", placeholder="More…", choices=(Choice(label="Size", value="size", emoji="📐"),))
CARD = Card(content="**a fox** — <@7>\n-# seed 5\n-# a note", rows=((BUTTON,), MENU), pictures=(PICTURE,))


def problems(components: list[dict[str, Any]]) -> list[Any]:
    found: list[Any] = []
    check_layout(found, components)
    return found


def test_the_picture_stands_between_the_first_line_and_the_rest() -> None:
    (container,) = layout_of(CARD, CARD.pictures)
    head, gallery, rest, buttons, menu = container["components"]
    assert (head["content"], rest["content"]) == ("**a fox** — <@7>", "-# seed 5\n-# a note")
    assert gallery["items"] == [{"media": {"url": "attachment://a-fox.png"}, "description": "AI image: a fox"}]
    assert [item["type"] for row in (buttons, menu) for item in row["components"]] == [2, 3]
    assert problems([container]) == []


def test_without_a_picture_all_words_stand_together() -> None:
    (container,) = layout_of(replace(CARD, pictures=(), rows=()), ())
    assert [part["content"] for part in container["components"]] == [CARD.content]


def test_several_pictures_are_one_gallery_and_other_files_stand_by_themselves() -> None:
    words = CardPicture(data=b"x", filename="dream.txt", alt_text="the words")
    hidden = replace(PICTURE, filename="SPOILER_b.webp", alt_text="")
    (container,) = layout_of(CARD, (PICTURE, hidden, words))
    gallery = container["components"][1]
    assert gallery["items"][1] == {"media": {"url": "attachment://SPOILER_b.webp"}, "spoiler": True}
    assert container["components"][3] == {"type": 13, "file": {"url": "attachment://dream.txt"}}
    assert problems([container]) == []


@given(st.lists(st.text(max_size=5000), min_size=1, max_size=4))
def test_words_are_cut_to_what_a_message_takes(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    cut = bounded(texts)
    assert sum(map(len, cut)) <= MAX_CHARS
    assert sum(len(text.encode()) + BYTES_OF_A_TEXT for text in cut) <= MAX_BYTES
    if sum(map(len, texts)) <= MAX_CHARS and sum(len(text.encode()) for text in texts) <= MAX_BYTES - 48:
        assert cut == texts


def test_japanese_is_bounded_by_its_bytes() -> None:
    (text,) = bounded(["狐" * 3900])
    assert len(text) < 3400
    assert text.endswith("…")


def test_a_message_is_read_from_its_raw_form() -> None:
    links = {"attachment://a-fox.png": "https://cdn.example/attachments/1/2/a-fox.png?ex=1"}
    raw = {"flags": FLAG, "content": "", "components": relink(layout_of(CARD, CARD.pictures), links)}
    assert list(ids_in(raw["components"])) == [BUTTON.custom_id, MENU.custom_id]
    assert text_in(raw).startswith("**a fox**")
    assert [file.filename for file in files_in(raw["components"])] == ["a-fox.png"]
    message: Any = SimpleNamespace(flags=SimpleNamespace(value=FLAG), components=[], attachments=[])
    complete(message, raw)
    assert [child.custom_id for row in message.components for child in row.children] == [
        BUTTON.custom_id,
        MENU.custom_id,
    ]
    classic: Any = SimpleNamespace(flags=SimpleNamespace(value=0), components=["kept"], attachments=[])
    assert complete(classic, {"components": []}).components == ["kept"]


TEXT = {"type": 10, "content": "a"}
WRONG: list[tuple[dict[str, Any], int]] = [
    ({"flags": FLAG, "content": "a", "components": [TEXT]}, 0),
    ({"flags": FLAG, "embeds": [{"title": "a"}], "components": [TEXT]}, 0),
    ({"flags": FLAG, "components": []}, 0),
    ({"flags": FLAG, "components": [{"type": 10, "content": ""}]}, 0),
    ({"flags": FLAG, "components": [TEXT] * 41}, 0),
    ({"flags": FLAG, "components": [{"type": 10, "content": "a" * 2001}] * 2}, 0),
    ({"flags": FLAG, "components": [{"type": 17, "components": [{"type": 17, "components": [TEXT]}]}]}, 0),
    ({"flags": FLAG, "components": [{"type": 12, "items": []}]}, 0),
    ({"flags": FLAG, "components": [{"type": 12, "items": [{"media": {"url": "file:///a"}}]}]}, 0),
    ({"flags": FLAG, "components": [{"type": 13, "file": {"url": "https://a.example/a"}}]}, 0),
    ({"flags": FLAG, "components": [{"type": 9, "components": [TEXT]}]}, 0),
    ({"flags": FLAG, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}]}, 0),
    ({"components": [{"type": 17, "components": [TEXT]}]}, 0),
    ({"content": "a"}, FLAG),
]


@pytest.mark.parametrize(("body", "flags"), WRONG)
def test_the_local_discord_refuses_a_wrong_layout(body: dict[str, Any], flags: int) -> None:
    assert check_message(body, flags)


def test_too_many_bytes_are_a_fault_of_the_service() -> None:
    with pytest.raises(Exception, match="Internal Server Error"):
        check_message({"flags": FLAG, "components": [{"type": 10, "content": "狐" * 3500}]})
