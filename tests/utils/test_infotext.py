"""The vectors are texts a real Automatic1111 1.10.1 wrote, and how its own /sdapi/v1/png-info read them back."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from utils.infotext import format_infotext, parse_infotext

CASES = json.loads((Path(__file__).parents[1] / "data/a1111/infotext_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_texts_of_the_real_server_are_read_as_it_reads_them(case):
    expected = dict(case["parameters"])
    found = parse_infotext(case["infotext"])
    assert (found.prompt, found.negative_prompt) == (expected.pop("Prompt"), expected.pop("Negative prompt"))
    assert found.parameters == expected


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_the_same_text_is_written_as_the_real_server_writes_it(case):
    parameters = {key: value for key, value in case["parameters"].items() if key not in ("Prompt", "Negative prompt")}
    in_order = {}
    for key, value in parameters.items():
        if key == "Size-1":
            in_order["Size"] = f"{value}x{parameters['Size-2']}"
        elif key != "Size-2":
            in_order[key] = value
    in_order["Version"] = in_order.pop("Version")
    text = format_infotext(case["request"]["prompt"], case["request"].get("negative_prompt", ""), in_order)
    assert text == case["infotext"]


def test_an_empty_negative_prompt_has_no_line():
    assert format_infotext("a cat", "", {"Steps": 20, "Sampler": None, "Seed": 1}) == "a cat\nSteps: 20, Seed: 1"


def test_a_plain_sentence_is_a_prompt_without_parameters():
    found = parse_infotext("a cat: black, small: very")
    assert found.prompt == "a cat: black, small: very"
    assert found.parameters == {}


@pytest.mark.parametrize("text", ["", "\n\n", '"', 'a: "b', "Negative prompt:", ",,,", ": : :"])
def test_odd_texts_are_read_without_complaint(text):
    parse_infotext(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_value_comes_back_as_it_was_written(value):
    value = value.strip()
    # the server writes a leading quotation mark bare and so reads it back as a quoted value; WxH is split
    assume(value and not value.startswith('"') and "x" not in value)
    text = format_infotext("p", "", {"Steps": 1, "Seed": 2, "Model": value, "Version": "1"})
    assert parse_infotext(text).parameters.get("Model", "Model") == value
