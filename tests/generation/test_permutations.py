r"""`{a, b}` and `{a|b}`: what stands for several prompts, and what stays as it was typed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.errors import RequestRejected
from generation.permutations import MAX_PERMUTATIONS, permutations
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {red, blue} fox", ["a red fox", "a blue fox"]),
        ("a {red|blue} fox", ["a red fox", "a blue fox"]),
        ("a {red, very red|blue} fox", ["a red, very red fox", "a blue fox"]),
        ("{a, b} {c, d}", ["a c", "a d", "b c", "b d"]),
        ("a {red, {pale, dark} blue} fox", ["a red fox", "a pale blue fox", "a dark blue fox"]),
        ("a fox --ar {3:2, 1:1}", ["a fox --ar 3:2", "a fox --ar 1:1"]),
        ("a fox {--ar 3:2, --steps 9}", ["a fox --ar 3:2", "a fox --steps 9"]),
        ("a {|big} fox", ["a  fox", "a big fox"]),
        (r"a {red\, white, blue} flag", ["a red, white flag", "a blue flag"]),
        ("a {<lora:x:1>|<lora:y:1>} fox", ["a <lora:x:1> fox", "a <lora:y:1> fox"]),
        ("a {(red:1.2), blue} fox", ["a (red:1.2) fox", "a blue fox"]),
        ("{word {a|b} more}", ["{word a more}", "{word b more}"]),
    ],
)
def test_a_choice_gives_a_prompt_for_each(text, expected):
    assert permutations(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a {fox}",
        "{{blue eyes, long hair}}",
        "{{{blue eyes, long hair}}}",
        '{"prompt": "a fox", "steps": 20}',
        '{"prompt": "a fox", "colours": {"a": [1, 2], "b": 3}}',
        "{prompt: a fox, steps: 20}",
        "a ${name, x} fox",
        "a {2$$red|blue|green} fox",
        "a {0.5::red|2::blue} fox",
        "a {red, blue fox",
        "a red, blue} fox",
        "{}", "{ , }", "{|}",
        '"a {red, blue} fox"',
        "a [red|blue] fox, (word:1.2)",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_choice_stays_as_it_was_typed(text):
    assert permutations(text) == [text]


def test_a_brace_after_a_backslash_is_a_character():
    assert permutations(r"a \{red, blue\} fox") == ["a {red, blue} fox"]
    assert permutations(r"{a \{b\}, c}") == ["a {b}", "c"]


def test_too_many_are_refused_before_any_is_written():
    began = time.process_time()
    with pytest.raises(RequestRejected) as refused:
        permutations("{a,b,c,d,e,f,g,h,i,j}" * 30)
    assert time.process_time() - began < 0.5
    assert str(MAX_PERMUTATIONS) in refused.value.user_message
    assert "\\{" in refused.value.hint


@pytest.mark.parametrize(
    "text", ["{" * 20_000, "}" * 20_000, "{a|" * 5_000, "{" * 3_000 + "a|b" + "}" * 3_000, "{,}" * 5_000]
)
def test_braces_by_the_thousand_take_no_time(text):
    began = time.process_time()
    permutations(text)
    assert time.process_time() - began < 1


@given(st.text(alphabet='{}|,\\ab "$:1', max_size=40))
def test_any_text_gives_at_least_one_and_never_too_many(text):
    try:
        found = permutations(text)
    except RequestRejected:
        return
    assert 1 <= len(found) <= MAX_PERMUTATIONS


def test_a_prompt_gives_a_draft_for_each_choice():
    parsed = parse_prompt("a {red, blue} fox --ar {3:2, 1:1} --steps 9", takes_several=True)
    assert parsed.drafts == (
        Draft(prompt="a red fox", aspect=(3, 2), steps=9),
        Draft(prompt="a red fox", aspect=(1, 1), steps=9),
        Draft(prompt="a blue fox", aspect=(3, 2), steps=9),
        Draft(prompt="a blue fox", aspect=(1, 1), steps=9),
    )
    assert parsed.notes == ("one of 4 for the choices in braces; \\{ is a plain brace",)


def test_where_only_one_is_taken_braces_are_words():
    assert parse_prompt("a {red, blue} fox").drafts == (Draft(prompt="a {red, blue} fox"),)


@pytest.mark.parametrize("prompt", ["a {red, blue} fox", "a {red|blue} fox", r"a \{red\} fox", "{{a, b}}"])
def test_a_prompt_with_braces_is_written_so_that_it_reads_as_that_prompt(prompt):
    again = parse_prompt(format_prompt(Draft(prompt=prompt)), takes_several=True)
    assert again.drafts == (Draft(prompt=prompt),)
