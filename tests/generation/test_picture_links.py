"""Addresses of pictures in a prompt: found, fetched by doors that can, and said elsewhere."""

import pytest

from generation.order import Order, OrderKind, order_from_json, order_to_json
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft

CAT = "https://example.com/cat.png"


@pytest.mark.parametrize(
    ("text", "prompt", "links"),
    [
        (f"{CAT} a cat", "a cat", (CAT,)),
        (f"<{CAT}> a cat", "a cat", (CAT,)),
        (f"{CAT}, a cat", "a cat", (CAT,)),
        (CAT, "", (CAT,)),
        ("HTTPS://example.com/view?id=5&x=1 a cat", "a cat", ("HTTPS://example.com/view?id=5&x=1",)),
        (f"{CAT} http://b.example/2 a cat", "a cat", (CAT, "http://b.example/2")),
        (f"a cat like {CAT} in the rain", "a cat like in the rain", (CAT,)),
        (f"--steps 9 {CAT} a cat", "a cat", (CAT,)),
        ("a cat https://example.com/page", "a cat https://example.com/page", ()),
        ("a cat.png", "a cat.png", ()),
        (f'"{CAT} a cat"', f"{CAT} a cat", ()),
        ("https:// a cat", "https:// a cat", ()),
    ],
)
def test_addresses_of_pictures_are_no_words(text, prompt, links):
    parsed = parse_prompt(text, fetches_pictures=True)
    assert (parsed.draft.prompt, parsed.pictures) == (prompt, links)
    assert parse_prompt(text).pictures == ()
    assert parse_prompt(text).draft == parsed.draft
    assert parse_prompt(format_prompt(parsed.draft)).draft == parsed.draft


def test_what_is_not_fetched_is_said_by_its_host_alone():
    text = "https://me:secret@example.com/cat.png?token=abc https://b.example/2 a cat"
    assert parse_prompt(text).notes == (
        "not used: what lies at example.com, b.example (addresses of pictures are not fetched here)",
    )
    assert parse_prompt(text, fetches_pictures=True).notes == (
        "not used: what lies at b.example (one picture is drawn from)",
    )
    assert parse_prompt(f"{CAT} a cat", fetches_pictures=True).notes == ()


def test_weight_of_a_picture_comes_along():
    parsed = parse_prompt(f"{CAT} a cat --iw 2", fetches_pictures=True)
    assert parsed.draft == Draft(prompt="a cat", denoising_strength=0.5)


def test_a_prompt_with_an_address_comes_back_from_its_line():
    draft = Draft(prompt=f"{CAT} a cat")
    assert parse_prompt(format_prompt(draft), fetches_pictures=True).draft == draft


def test_an_order_keeps_its_link():
    order = Order(kind=OrderKind.DRAW, draft=Draft(prompt="a cat"), link=CAT)
    assert order_from_json(order_to_json(order)) == order
