"""Suggestions of a slash command for a workflow's options, and how it reads them."""

import pytest

from cogs.workflows.options import read_options, suggestions
from generation.request import Draft
from generation.workflow_options import WorkflowOption

OFFERED = (
    WorkflowOption(name="detail", kind="number", low=0, high=2, default="1"),
    WorkflowOption(name="look", kind="choice", default="soft", choices=("soft", "hard light")),
    WorkflowOption(name="glow", kind="flag", default="no"),
)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", {"--detail · a number from 0 to 2 (1)": "--detail ", "--look · soft, hard light (soft)": "--look ",
              "--glow · yes or no (no)": "--glow "}),
        ("lo", {"--look · soft, hard light (soft)": "--look "}),
        ("--look ", {"--look soft": "--look soft", "--look hard light": "--look hard light"}),
        ("--detail 1.3 --look h", {"--look hard light": "--detail 1.3 --look hard light"}),
        ("--detail 1.3 --glow", {"--glow · yes or no (no)": "--detail 1.3 --glow "}),
        ("--detail 1.3 --", {"--look · soft, hard light (soft)": "--detail 1.3 --look ",
                             "--glow · yes or no (no)": "--detail 1.3 --glow "}),
        ("--glow y", {"--glow yes": "--glow yes"}), ("--detail 0.5", {"--detail 0.5": "--detail 0.5"}),
        ("--nonsense 3", {}),
    ],
)  # fmt: skip
def test_what_comes_next_is_suggested(typed, offered):
    assert suggestions(typed, OFFERED) == offered


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (None, ()), (" ", ()), ("detail 1.3", (("detail", "1.3"),)),
        ("--detail 1.3 --look hard light", (("detail", "1.3"), ("look", "hard light"))),
        ("--frames 49", (("frames", "49"),)),
    ],
)  # fmt: skip
def test_what_was_typed_is_read(typed, read):
    assert read_options(typed) == Draft(options=read)


def test_options_of_easel_are_read_there_too_and_words_are_none():
    assert read_options("strength 0.5 --detail 1 --strength 1.3 a fox").options == (
        ("detail", "1"),
        ("strength", "1.3"),
    )
    assert read_options("steps 9 more words") == Draft(steps=9)
    strength = WorkflowOption(name="strength", kind="number", low=0, high=2, default="1")
    assert (
        suggestions("--strength 0.5 --", (*OFFERED, strength)).keys()
        == suggestions("--strength 0.5 --", OFFERED).keys()
    )
