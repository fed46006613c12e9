"""Cards about a picture somebody brought, and the words read back from them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cogs.jobs.alt import alt_of
from cogs.pictures.forms import (
    FILE_NAME,
    described_card,
    info_card,
    notes_of,
    style_options,
    upscale_options,
    words_file,
    words_in,
)
from generation.errors import RequestRejected
from generation.prompt_syntax import parse_prompt
from generation.request import Draft, Mode
from services.engines.describing import Description
from services.pictures.pictures import known_of
from tests.cogs.samples import JOB, done
from tests.cogs.snapshots import check_snapshot, drawn
from utils.images import ImageInfo
from utils.infotext import parse_infotext

FACTS = ImageInfo(width=768, height=512, media_type="image/png")
INFOTEXT = """portrait of a fox,
(sharp:1.2) <lora:add_detail:0.8>
Negative prompt: blurry, "ugly"
Steps: 24, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 812, Size: 768x512, Model: dreamshaper_8, \
Denoising strength: 0.4, Clip skip: 2, Hires upscale: 1.5, Hires steps: 10, Hires upscaler: Latent, Version: v1.10.1"""


def message(card: Any) -> Any:
    """Return what Discord would hand back of a card."""
    attachments = [SimpleNamespace(filename=picture.filename) for picture in card.pictures]
    return SimpleNamespace(content=card.content, attachments=attachments)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", "--upscale 2"),
        ("4", "--upscale 4"),
        ("1.5x --backend gpu1", "--upscale 1.5 --backend gpu1"),
        ("--upscaler R-ESRGAN 4x+", "--upscale 2 --upscaler R-ESRGAN 4x+"),
        ("4kids", "--upscale 2 4kids"),
    ],
)
def test_a_number_after_upscale_is_the_factor(text: str, options: str) -> None:
    assert upscale_options(text) == options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", "--restyle"),
        ("painting 5", '--restyle --style "painting 5"'),
        (' "oil" --strength 0.5', '--restyle --style "oil" --strength 0.5'),
        ("--private", "--restyle --private"),
    ],
)
def test_words_after_style_are_the_name_of_one(text: str, options: str) -> None:
    assert style_options(text) == options
    parse_prompt(options)


def test_info_has_seed_line_and_details() -> None:
    card = info_card(parse_infotext(INFOTEXT), FACTS, private=False)
    check_snapshot("picture_info", drawn(card))
    draft = parse_prompt(words_in(message(card)) or "").draft
    assert (draft.prompt, draft.negative_prompt) == ("portrait of a fox, (sharp:1.2)", 'blurry, "ugly"')
    assert (draft.seed, draft.steps, draft.width, draft.hires and draft.hires.steps) == (812, 24, 768, 10)
    assert draft.loras[0].name == "add_detail"


def test_an_upscaled_picture_is_drawn_at_its_size_before() -> None:
    text = "a fox\nSeed: 5, Size: 1024x512, Upscale factor: 2, Engine: sketch"
    card = info_card(parse_infotext(text), FACTS, private=False)
    assert "--size 512x256" in card.content


def test_values_that_cannot_be_are_left_out() -> None:
    text = "a fox\nSteps: many, Seed: 99999999999999999999, CFG scale: nan, Upscale factor: x"
    card = info_card(parse_infotext(text), FACTS, private=False)
    assert words_in(message(card)) == "a fox"


def test_what_a_picture_shows_is_a_line_to_draw() -> None:
    card = described_card(Description(text="a red fox in the snow", engine="gpu-box"), None, private=True)
    check_snapshot("picture_described", drawn(card))
    assert card.rows[0][0].custom_id == "e1:picture:-:draw-private"  # type: ignore[index]


@pytest.mark.parametrize("caption", ["a fence ``` of ticks", "word " * 600])
def test_words_that_do_not_fit_a_block_are_in_a_file(caption: str) -> None:
    card = described_card(Description(text=caption, engine="gpu-box"), None, private=False)
    assert words_in(message(card)) is None
    assert words_file(message(card)).filename == FILE_NAME
    assert parse_prompt(card.pictures[0].data.decode()).draft.prompt == " ".join(caption.split())
    assert len(card.content) <= 2000


def test_a_message_without_words_says_so() -> None:
    with pytest.raises(RequestRejected, match="no longer in this message"):
        words_file(message(SimpleNamespace(content="", pictures=())))


def test_a_caption_cannot_break_out_of_its_block() -> None:
    card = described_card(Description(text="a `tick` and @everyone <@1>", engine="gpu-box"), None, private=False)
    assert card.content.count("```") == 2
    assert parse_prompt(words_in(message(card)) or "").draft.prompt == "a `tick` and @everyone <@1>"


def test_a_job_is_known_whole_and_a_foreign_picture_by_its_words() -> None:
    known = known_of(JOB, None)
    assert (known.prompt, known.model, known.width, known.seed) == (JOB.request.prompt, "dreamshaper_8", None, None)
    foreign = known_of(None, parse_infotext(INFOTEXT))
    assert foreign == Draft(prompt="portrait of a fox, (sharp:1.2)", negative_prompt='blurry, "ugly"')
    assert known_of(None, None) == Draft()


def test_repeat_is_told_to_do_nothing_here() -> None:
    assert notes_of(parse_prompt("a fox --repeat 3")) == ("--repeat ignored: one at a time from a picture",)
    assert notes_of(parse_prompt("a fox")) == ()


def test_alt_text_of_an_upscaled_picture_says_how_much_larger() -> None:
    request = replace(JOB.request, mode=Mode.UPSCALE, upscale_factor=2.0)
    job = replace(done(model="ESRGAN").job, drawn=request, origin=replace(JOB.origin, parent_job_id="1"))
    assert job.result is not None
    large = replace(job.result.images[0], width=1536, height=1024)
    reply = "AI image: a fox in a library, watercolor; made 2 times larger by ESRGAN, 1536×1024"
    assert alt_of(job, large) == reply
    own = replace(job, drawn=replace(request, prompt=""), origin=JOB.origin, result=done(model="ESRGAN").job.result)
    assert (
        alt_of(own, large) == "Enlarged image: a picture given without words; made 2 times larger by ESRGAN, 1536×1024"
    )
