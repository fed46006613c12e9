"""Options of a workflow that are named like Easel's own: whose a value is, from the prompt to a re-roll."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from generation.errors import RequestRejected
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.replaced_options import REPLACED, own_name, routed, said_anew
from generation.request import Draft, WorkflowRef
from generation.resolve import resolve
from generation.workflow_options import WorkflowOption

STRENGTH = WorkflowOption(name="strength", kind="number", low=0, high=2, default="1")
OWN = WorkflowRef(name="p")


def said(text: str) -> Draft:
    return parse_prompt(text, has_workflow=True).draft


def test_what_easel_cannot_take_is_left_to_the_workflow_where_one_is_named():
    for text in ("a fox --strength 1.5 --workflow p", "a fox --wf p --strength 1.5", "a fox --wf p --denoise 150%"):
        draft = parse_prompt(text).draft
        assert (draft.denoising_strength, [name for name, _ in draft.options]) == (None, ["strength"])
    with pytest.raises(RequestRejected, match=r"Denoising strength cannot be “1\.5”"):
        parse_prompt("a fox --strength 1.5")
    with pytest.raises(RequestRejected, match="Width cannot be"):
        parse_prompt("a fox --workflow p --width 1")


@pytest.mark.parametrize(
    ("text", "value"), [("--strength 1.5", "1.5"), ("--strength 0.5", "0.5"), ("--denoise 1", "1")]
)
def test_a_workflow_gets_what_was_said_as_its_own_option(text: str, value: str):
    draft = routed(said(f"a fox {text}"), (STRENGTH,))
    assert (draft.denoising_strength, draft.options) == (None, (("strength", value),))


def test_without_such_an_option_it_is_easel_s_own():
    assert routed(said("a fox --strength 0.5"), ()).denoising_strength == 0.5
    assert routed(Draft(options=(("strength", "0.5"),)), ()) == Draft(denoising_strength=0.5)
    with pytest.raises(RequestRejected, match="Denoising strength"):
        routed(said("a fox --strength 1.5"), ())


def test_words_and_whole_numbers_are_handed_on_as_well():
    offered = (WorkflowOption(name="sampler"), WorkflowOption(name="steps", kind="whole"))
    draft = routed(said("a fox --sampler very soft --steps 7"), offered)
    assert dict(draft.options) == {"sampler": "very soft", "steps": "7"}
    assert (draft.sampler, draft.steps) == (None, None)


@pytest.mark.parametrize("value", ["1.5", "0.5"])
def test_what_was_handed_on_is_written_and_read_back(value: str):
    line = format_prompt(Draft(prompt="a fox", workflow=OWN, options=(("strength", value),)))
    assert line == f"a fox --strength {value} --workflow p" if value == "0.5" else line.endswith("--strength 1.5")
    assert dict(routed(parse_prompt(line).draft, (STRENGTH,)).options) == {"strength": value}


def test_what_is_said_anew_wins_and_what_only_stands_in_a_form_does_not():
    before = resolve(Draft(prompt="a fox", options=(("steps", "7"),)), width=64, height=64, steps=20, cfg_scale=7.0)
    base = Draft(options=(("steps", "7"), ("detail", "1")))
    for changes, options, steps in (
        (Draft(steps=9), ("detail",), 9),
        (Draft(steps=20), ("detail", "steps"), None),
        (Draft(), ("detail", "steps"), None),
    ):
        new, kept = said_anew(changes, base, before)
        assert (tuple(name for name, _ in kept.options), new.steps) == (options, steps)


def test_other_names_of_an_option_are_the_same_one_and_only_some_can_be_taken_over():
    assert (own_name("denoise"), own_name("guidance_scale"), own_name("detail")) == ("strength", "cfg", "detail")
    assert not REPLACED.keys() & {"seed", "size", "width", "workflow", "backend", "batch", "repeat", "negative", "lora"}
    draft = Draft()
    assert all(hasattr(draft, field) for field in REPLACED.values())
    assert replace(draft, **dict.fromkeys(REPLACED.values())) == draft


def test_the_names_of_the_page_are_those_that_can_be_taken_over():
    page = Path("docs/backends/comfyui.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"That goes for (.+?);", page, re.DOTALL)
    assert sorted(re.findall("`(.+?)`", listed)) == sorted(REPLACED)
