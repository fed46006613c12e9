"""Options of a workflow in the prompt: read when one is named, written back, merged by name."""

import pytest

from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft, WorkflowRef, draft_from_json, draft_to_json


@pytest.mark.parametrize(
    ("text", "prompt", "options"),
    [
        ("a fox --workflow p --detail 1.3", "a fox", (("detail", "1.3"),)),
        ("a fox --detail=1.3 --wf p", "a fox", (("detail", "1.3"),)),
        ("--wf p --detail 1.3 a fox", "a fox", (("detail", "1.3"),)),
        ("a fox --wf p --Look very soft --steps 3", "a fox", (("look", "very soft"),)),
        ('a fox --wf p --look "very soft" in snow', "a fox in snow", (("look", "very soft"),)),
        ("a fox --wf p --lora-weight 1,5,", "a fox", (("lora_weight", "1,5"),)),
        ("a fox --wf p --frames 49 --fps 16", "a fox", (("fps", "16"), ("frames", "49"))),
        ("a fox --frames 49", "a fox", (("frames", "49"),)),
        ("a fox --wf p --glow", "a fox", (("glow", ""),)),
    ],
)
def test_options_are_read(text, prompt, options):
    parsed = parse_prompt(text)
    assert (parsed.draft.prompt, parsed.draft.options, parsed.notes) == (prompt, options, ())


def test_without_a_workflow_an_unknown_option_stays_unknown():
    parsed = parse_prompt("a fox --detail 1.3")
    assert (parsed.draft.options, len(parsed.notes)) == ((), 1)
    assert parse_prompt("a fox --detail 1.3", has_workflow=True).draft.options == (("detail", "1.3"),)


@pytest.mark.parametrize("reply", [(("detail", "1.3"),), (("frames", "7"), ("look", 'a "b" --steps 3'))])
def test_they_are_written_and_read_back(reply):
    draft = Draft(prompt="a fox", workflow=WorkflowRef(name="p"), options=reply)
    assert parse_prompt(format_prompt(draft)).draft == draft
    assert draft_from_json(draft_to_json(draft)) == draft


def test_what_is_said_anew_goes_over_what_was():
    old = Draft(options=(("detail", "1"), ("look", "soft")))
    assert dict(Draft(options=(("detail", "2"),)).over(old).options) == {"detail": "2", "look": "soft"}
    assert Draft().over(old).options == old.options
