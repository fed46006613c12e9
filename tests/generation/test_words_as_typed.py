"""Prompts as phones, chats and other systems change them on the way here, and that plain words stay what they are."""

import string
import time
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constants import MAX_SEED
from generation.errors import RequestRejected
from generation.options import BY_NAME
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft

WEIGHTS = "Midjourney’s weights mean nothing here, (word:1.5) does to many engines"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u202a\u2066\u180e\u034f\ufe0f"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\ufe58\ufe63\uff0d"


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("a cat --seed 156680208700286", Draft(prompt="a cat", seed=156680208700286)),
        (f"a cat --seed {MAX_SEED}", Draft(prompt="a cat", seed=MAX_SEED)),
        ("a cat --steps\u200b 30", Draft(prompt="a cat", steps=30)),
        ("a cat,--steps 20", Draft(prompt="a cat,", steps=20)),
        ("a cat)--steps 20", Draft(prompt="a cat)", steps=20)),
        ("a cat)--ar 1:1", Draft(prompt="a cat)", aspect=(1, 1))),
        ("一只猫 ——steps 20", Draft(prompt="一只猫", steps=20)),
        ("一只猫——steps 20", Draft(prompt="一只猫", steps=20)),
        ("a cat −−steps 20", Draft(prompt="a cat", steps=20)),
        ("a cat–-steps 20", Draft(prompt="a cat", steps=20)),
        ("a cat.--steps 20 --seed 4", Draft(prompt="a cat.", steps=20, seed=4)),
        ("a cat，--steps 20，--seed 4", Draft(prompt="a cat，", steps=20, seed=4)),
        ("a cat」--steps 20。", Draft(prompt="a cat」", steps=20)),
        ("a cat🐱--steps 20", Draft(prompt="a cat🐱", steps=20)),
        ("a cat--steps 20--seed 4", Draft(prompt="a cat", steps=20, seed=4)),
        ("a cat --steps 20,in the rain", Draft(prompt="a cat in the rain", steps=20)),
        ("a cat --ar 2.39:1", Draft(prompt="a cat", aspect=(239, 100))),
        ("a cat --ar 1,85:1 --seed 3", Draft(prompt="a cat", aspect=(37, 20), seed=3)),
        ("a cat --ar 1.0:1.50", Draft(prompt="a cat", aspect=(2, 3))),
        ("`a cat` --steps `20`", Draft(prompt="a cat", steps=20)),
        ("a cat--ar 16:9", Draft(prompt="a cat", aspect=(16, 9))),
        ("a cat --steps20 --ar16:9", Draft(prompt="a cat", steps=20, aspect=(16, 9))),
        ("a cat --steps\u200b30", Draft(prompt="a cat", steps=30)),
        ("a cat －－ｓｔｅｐｓ　２０ --ar １６：９", Draft(prompt="a cat", steps=20, aspect=(16, 9))),
        ("a cat --steps：20 --size＝512х768", Draft(prompt="a cat", steps=20, width=512, height=768)),
        ("a cat\u00a0--steps\u00a020.", Draft(prompt="a cat", steps=20)),
        ("a cat --cfg‐scale 7，5", Draft(prompt="a cat", cfg_scale=7.5)),
        ("a cat ——no hats", Draft(prompt="a cat", negative_prompt="hats")),
        ("a cat —no hats —ar 3:2", Draft(prompt="a cat", negative_prompt="hats", aspect=(3, 2))),
        ("a cat (--steps 20) [--no hats]", Draft(prompt="a cat", steps=20, negative_prompt="hats")),
        ("```\na cat\n```", Draft(prompt="a cat")),
        ("``` a cat ```", Draft(prompt="a cat")),
        ("```txt\na cat\nin the rain --steps 20\n```", Draft(prompt="a cat in the rain", steps=20)),
        ("```\na cat\n``` --steps 20", Draft(prompt="a cat", steps=20)),
        ("```\na cat --steps 20", Draft(prompt="a cat", steps=20)),
        ("`a cat --steps 20`", Draft(prompt="a cat", steps=20)),
        ("`a cat` --steps 20", Draft(prompt="a cat", steps=20)),
        ("``a cat``", Draft(prompt="a cat")),
        ("a cat <:catjam:123456789012345678>", Draft(prompt="a cat catjam")),
        ("a<a:cat_jam:123>cat --no <:dog:5>", Draft(prompt="a cat_jam cat", negative_prompt="dog")),
        ("<a:x_1:99><:y:1>!", Draft(prompt="x_1 y!")),
        ("see <id:customize> a fox <sound:1:2>", Draft(prompt="see a fox")),
        ("a cat ──steps 20", Draft(prompt="a cat", steps=20)),
        ("use </dream:123456789012345678> now", Draft(prompt="use dream now")),
        ("a clock at <t:1700000000:t>", Draft(prompt="a clock at 22:13")),
        ("<t:1700000000> a fox", Draft(prompt="14 November 2023 22:13 a fox")),
        ("a fox on <t:-1:D>", Draft(prompt="a fox on 31 December 1969")),
        ("a fox <t:99999999999999:R>", Draft(prompt="a fox")),
        ("a fox 🏴󠁧󠁢󠁥󠁮󠁧󠁿 and 👨‍👩‍👧", Draft(prompt="a fox 🏴󠁧󠁢󠁥󠁮󠁧󠁿 and 👨‍👩‍👧")),
        ("می‌خواهم", Draft(prompt="می‌خواهم")),
    ],
)
def test_what_was_meant_is_read(text, draft):
    parsed = parse_prompt(text)
    assert (parsed.draft, parsed.notes) == (draft, ())
    assert parse_prompt(format_prompt(draft)).draft == draft


@pytest.mark.parametrize("sign", ZERO_WIDTH)
def test_a_sign_nobody_sees_changes_nothing_wherever_it_stands(sign):
    text = "a cat --steps 20 --ar 3:2"
    for place in range(len(text) + 1):
        assert parse_prompt(text[:place] + sign + text[place:]) == parse_prompt(text)


@pytest.mark.parametrize("blank", "\u00a0\u2003\u202f\u3000\u3164\u2800\uffa0")
def test_every_blank_is_a_space(blank):
    assert parse_prompt(f"a{blank}cat{blank}--steps{blank}20").draft == Draft(prompt="a cat", steps=20)


@pytest.mark.parametrize("first", DASHES)
@pytest.mark.parametrize("second", DASHES)
def test_two_dashes_of_any_kind_begin_an_option(first, second):
    for before in (" ", ", ", ",", ")", "。"):
        parsed = parse_prompt(f"a cat{before}{first}{second}steps 20")
        assert (parsed.draft.steps, parsed.notes) == (20, ())


@pytest.mark.parametrize(
    "text",
    [
        "well--known, half--baked and yes--no",
        "a castle —old and grey",
        "a castle —on a hill",
        "un gato —no un perro— en la nieve",
        "a photo —raw and honest",
        "a field —seed of doubt",
        "semi-steps, a 7-size shoe",
        "he said,--whatever",
        "std::vector and a:b",
        "https.//example",
        "the sign says `hello` to all",
        "{red|blue} cat, [a|b], (c:1.2), <b>",
        "a < b > c and <:x> <@> <t:now> <@USER>",
        "say \u201chello\u201d",
        "naïve café, 100% wool, 3/4 view, f/1.8, 50mm & more; #1 @home",
    ],
)
def test_words_that_only_look_like_it_stay(text):
    assert parse_prompt(text) == parse_prompt(f'"{text}"') if '"' not in text and "“" not in text else True
    assert parse_prompt(text).draft == Draft(prompt=text)


WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="-`<>\"“”„'‘’\\{}" + DASHES + "ー"),
    max_size=60,
).map(lambda text: " ".join(unicodedata.normalize("NFC", text).split()))


@given(WORDS)
def test_no_word_of_a_prompt_without_options_is_changed(words):
    blank = dict.fromkeys(map(ord, "\u3164\u2800\uffa0\u115f\u1160"), " ")
    assert parse_prompt(words).draft == Draft(prompt=" ".join(words.translate(blank).split()))


@given(st.text(string.ascii_letters + " ,.-–—", max_size=60))
def test_dashes_between_words_are_words_unless_they_name_an_option(text):
    parsed = None
    with suppress(RequestRejected):
        parsed = parse_prompt(text)
    names = {*BY_NAME, "s", "c", "w", "q", "v", "tile", "raw", "draft", "hd", "fast", "relax", "turbo"}
    begun = any(f"{dash}{name}" in text.casefold() for dash in "-–—" for name in names)
    if parsed and not begun and "--" not in text:
        assert parsed.draft == Draft(prompt=" ".join(text.split()))


NAMES = {"@42": "Ann Ö. --steps 3", "@&7": "<Painters>", "#9": "general"}


def test_mentions_are_read_as_the_names_people_see():
    parsed = parse_prompt("a cat for <@42>, <@!42> of <@&7> in <#9> --no <#9>", NAMES)
    assert parsed.draft == Draft(
        prompt="a cat for Ann Ö. steps 3, Ann Ö. steps 3 of Painters in general", negative_prompt="general"
    )
    assert parsed.notes == ()


def test_mentions_nobody_knows_are_left_out_and_that_is_said():
    parsed = parse_prompt("a cat for <@4242> and <#5>", NAMES)
    assert parsed.draft == Draft(prompt="a cat for and")
    assert parsed.notes == ("2 mentions left out: their names are not known here",)
    assert parse_prompt("<@4242> a cat").notes == ("a mention left out: its name is not known here",)


def test_what_stands_in_quotes_is_not_touched():
    assert parse_prompt('"a ```cat``` <:x:12> <@5> --steps 3"').draft == Draft(
        prompt="a ```cat``` <:x:12> <@5> --steps 3"
    )


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a cat -steps 20", "“-steps 20” was read as words: options begin with --"),
        ("a cat -- steps 20", "“-- steps 20” was read as words: options begin with --"),
        ("cat::2 dog::1", f"“::2” was read as words: {WEIGHTS}"),
        ("cat ::-.5", f"“::-.5” was read as words: {WEIGHTS}"),
        ("hot:: dog", f"“::” was read as words: {WEIGHTS}"),
    ],
)
def test_what_is_read_as_words_but_may_be_meant_otherwise_is_said(text, note):
    parsed = parse_prompt(text)
    assert (parsed.draft, parsed.notes) == (Draft(prompt=text), (note,))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stepz", "steps"),
        ("setps", "steps"),
        ("cgf", "cfg"),
        ("lroa", "lora"),
        ("negativ", "negative"),
        ("Modle", "model"),
    ],
)
def test_a_near_option_is_named(typed, meant):
    assert parse_prompt(f"a cat --{typed} 3").notes == (
        f"unknown option --{typed}: did you mean --{meant}? (left out: “3”)",
    )


@pytest.mark.parametrize("typed", ["lens", "mood", "film", "tone", "side", "camera", "style_reference", "guideline"])
def test_no_option_is_suggested_that_is_not_near(typed):
    assert parse_prompt(f"a cat --{typed} 3").notes == (f"unknown option --{typed} ignored (left out: “3”)",)


@pytest.mark.parametrize(
    "text",
    ["```a", "`", "<:a:1", "<@1>", "——steps 1", "a--steps 1,", "－", "-steps 1 ", "::1 ", "{a|", "\u200b", "(--no "],
)
def test_hostile_text_is_read_quickly(text):
    started = time.thread_time()
    with suppress(RequestRejected):
        parse_prompt(text * (16000 // len(text)))
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("text", ["\u200b", "\u200b\u200c\u200d\ufeff", "\u2800 \u3164", "\u202e\u2066"])
def test_a_prompt_of_what_nobody_sees_is_empty(text):
    assert parse_prompt(text).draft.prompt == ""
