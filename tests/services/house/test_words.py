"""Words are found whatever they are dressed up as, and are not found inside others."""

import time

import pytest

from generation.errors import RequestRejected
from services.house.patterns import PatternList, compiled
from services.house.words import WordList, names_minor, sexual_word, sexualises_minor

HARMLESS = (
    "Scunthorpe town hall",
    "a bunch of grapes, one grape",
    "Essex and Sussex, cocktails, a peacock, a class of assassins, analysis of a canal",
    "a chest of drawers, chicken breast, blue tits on a branch, a cock crowing at dawn",
    "naked mole rat, seen with the naked eye",
    "nude lipstick, pussy willows in a vase, magna cum laude",
    "therapist, hoarding, shiitake mushrooms, Dick Tracy, Moby Dick",
    "a fox in the snow, explicit instructions on a sign",
    "remove the hat, take off the glasses, a stripped wooden boat, a striped dress",
    "wire stripper on a workbench",
)
DRESSED_UP = (
    "nude woman, explicit",
    "NUDE",
    "(nude:1.3)",
    "nu(de)",
    "n.u.d.e woman",
    "n u d e woman",
    "nude_woman",
    "ｎｕｄｅ",
    "𝓷𝓾𝓭𝓮",
    "🅽🆄🅳🅴",
    "nu\u200bde",
    "nu\u00adde",
    "n\u0336u\u0336d\u0336e\u0336",
    "nüde",
    "nud\u0435",  # a Cyrillic letter
    "ɴᴜᴅᴇ",
    "a picture of a naked man",
    "remove her clothes",
    "take his clothes off",
    "裸体女人",
    "обнажённая девушка",
    "eine nackte Frau",
)


@pytest.mark.parametrize("prompt", HARMLESS)
def test_words_that_only_contain_others_or_mean_something_else_pass(prompt):
    assert sexual_word(prompt) == ""


@pytest.mark.parametrize("prompt", DRESSED_UP)
def test_a_word_is_found_in_whatever_it_is_dressed_up_as(prompt):
    assert sexual_word(prompt)


def test_a_negative_prompt_that_leaves_out_clothes_asks_for_nudity_and_one_that_leaves_out_nudity_does_not():
    assert sexual_word("a woman", "clothes, bad hands") == "clothes"
    assert sexual_word("a woman", "nude, nsfw, naked, blurry") == ""


@pytest.mark.parametrize(
    ("prompt", "is_minor"),
    [
        ("nude little girl", True),
        ("naked 15 year old", True),
        ("naked, 9yo", True),
        ("lolicon", True),
        ("nude woman, 25 years old", False),
        ("a little girl with a red balloon", False),
        ("a teenager at school", False),
    ],
)
def test_sexual_pictures_of_minors_are_told_from_pictures_of_minors_and_sexual_ones(prompt, is_minor):
    assert sexualises_minor(prompt) is is_minor


def test_somebody_of_age_is_no_minor():
    assert not names_minor("a woman, 30 years old, 12 apples")


def test_words_of_a_server_end_where_they_end_and_a_star_stands_for_the_rest():
    assert WordList(["drag*", "red car"]).find_in("two Dragons") == "drag*"
    assert WordList(["dragon"]).find_in("dragonfly") == ""
    assert WordList(["red car"]).find_in("a RED, car") == "red car"
    assert WordList(["車"]).find_in("赤い車が走る") == "車"
    assert WordList(["", "***", "!"]).find_in("anything !") == ""


def test_patterns_are_looked_for_in_the_folded_text():
    assert PatternList([r"\bgun(s|man)?\b"]).find("two ＧＵＮＳ") == r"\bgun(s|man)?\b"
    assert PatternList([r"\bgun\b"]).find("a gunpowder tea") == ""


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "a{1000}{1000}{1000}", r"(a)\1", "((((a{100}){100}){100}){100})"])
def test_what_is_no_pattern_is_refused_with_the_reason(pattern):
    with pytest.raises(RequestRejected, match="is not a valid pattern: ") as refused:
        compiled(pattern)
    assert refused.value.field == "patterns"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"(.*)*x", r"(a*)*(a*)*(a*)*$c"])
def test_no_pattern_takes_long(pattern):
    listed = PatternList([pattern])
    began = time.process_time()
    listed.find("a" * 6000 + "!")
    assert time.process_time() - began < 1.0
