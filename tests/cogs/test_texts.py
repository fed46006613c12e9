"""Help, refusals, forms and menus as people read them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from nextcord.ext import commands

from cogs.error_handler import error_text
from cogs.help import EXAMPLES, GOOD, help_pages
from cogs.jobs import forms
from cogs.unreadable import TEXT
from cogs.wire.forms import Form
from generation.errors import LimitReached, RequestRejected
from generation.negatives import READY
from generation.options import OPTIONS, PromptOption
from generation.prompt_syntax import parse_prompt
from tests.cogs.samples import JOB
from tests.cogs.snapshots import check_snapshot, drawn


def test_help_is_ten_lines_and_a_page_with_six_examples_that_parse() -> None:
    first, tips, page, *_ = help_pages()
    check_snapshot("help_tips", drawn(tips))
    check_snapshot("help", drawn(first))
    assert len(first.content.splitlines()) == 10
    check_snapshot("help_usual", drawn(page))
    assert len(EXAMPLES) == 6
    for example in EXAMPLES:
        assert parse_prompt(example.split("  (")[0]).notes == ()


def test_tips_name_good_prompts_ones_to_avoid_steps_sizes_styles_and_what_to_leave_out() -> None:
    tips = help_pages()[1].content
    assert all(prompt in tips for prompt in GOOD)
    assert all(words in tips for words in READY.values())
    for part in (
        "avoid",
        "15-20",
        "25-30",
        "40-50",
        "100",
        "512x768",
        "640x640",
        "768x768",
        "oil-painting",
        "/gpu stop",
    ):
        assert part in tips
    studio = Path("api/static/js/features/create/negatives.js").read_text(encoding="utf-8")
    assert all(f'"{words}"' in studio for words in READY.values()), "the studio offers the same"


def _line(option: PromptOption) -> str:
    return f"`{option.example}` {option.meaning}"


def test_every_option_is_on_a_page_and_no_page_is_too_long() -> None:
    pages = help_pages()
    assert all(len(page.content) <= 2000 for page in pages)
    everything = "\n".join(page.content for page in pages[3:])
    assert all(_line(option) in everything for option in OPTIONS)
    assert all((_line(option) in pages[2].content) == option.is_usual for option in OPTIONS)


def test_unreadable_says_what_works_instead() -> None:
    check_snapshot("unreadable", TEXT)


@pytest.mark.parametrize(
    "text",
    ["a fox --steps 9000", "a fox --steps many", "a fox --size 10", "a fox --seed soon", "a fox --cfg warm",
     "a fox --ar wide", "a fox --batch 99", "a fox --strength 2"],
)  # fmt: skip
def test_refusals_of_values(text: str) -> None:
    with pytest.raises(RequestRejected) as refused:
        parse_prompt(text)
    name = text.split("--")[1].replace(" ", "_")
    check_snapshot(f"refused_{name}", error_text(refused.value))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LimitReached("Too much.", hint="Later."), "✖ Too much.\nLater."),
        (commands.BadArgument("x"), "✖ I could not read that. `/help` shows how it is written."),
        (commands.CheckFailure(), "✖ You may not do that here."),
        (commands.CommandInvokeError(RequestRejected("No.")), "✖ No."),
    ],
)
def test_errors_in_words(error: Exception, words: str) -> None:
    assert error_text(error) == words


def test_an_unknown_fault_is_an_id_for_people_and_a_traceback_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    text = error_text(ZeroDivisionError("secret detail"))
    fault = text.split("(id ")[1][:6]
    assert "secret" not in text
    assert fault in caplog.text
    assert "ZeroDivisionError" in caplog.text


def lines_of(form: Form) -> str:
    """Return a form as text: its title, and each label with what is there already."""
    lines = [form.payload()["title"]]
    for row in form.payload()["components"]:
        item = row["component"]
        options = ", ".join(option["label"] for option in item.get("options", ()))
        lines.append(f"{row['label']}: {item.get('value', options)}")
    return "\n".join(lines)


def test_the_edit_form_has_five_filled_fields() -> None:
    check_snapshot("form_edit", lines_of(forms.edit_form(JOB.id, JOB.request)))


def test_the_size_form_has_a_menu_of_shapes_and_a_field_for_pixels() -> None:
    check_snapshot("form_size", lines_of(forms.size_form(JOB)))


def test_a_menu_shows_the_present_choice_and_turns_pages() -> None:
    names = [f"model_{number:02}" for number in range(30)]
    check_snapshot("menu_model", drawn(forms.menu("model", JOB.id, names, "model_26", 1)))
