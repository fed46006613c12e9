"""The message of a job in each of its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cogs.cards import CardPicture, Menu
from cogs.jobs import card as render
from cogs.jobs.alt import alt_of
from cogs.jobs.context import CardContext, OtherEngine
from cogs.jobs.small_print import small_print
from easel_sketch.painting.legend import TEXT
from generation.deeds import Deed
from generation.job import Away, Hold, JobStatus, JobView, Progress
from generation.request import Lora, Mode, SourceImage, WorkflowRef
from tests.cogs.samples import CONTEXT, JOB, NOW, PROGRESS, REQUEST, RUNNING, done, failed
from tests.cogs.snapshots import check_snapshot, drawn

FILE = (CardPicture(data=b"x", filename="a-fox-81245.png", alt_text="AI image: a fox"),)
AWAY = Away(reason="refused", since=NOW - timedelta(seconds=40), patience_s=1800.0)
OTHERS = (OtherEngine(name="flux", label="flux-box", is_flux=True), OtherEngine(name="grid", label="Grid"))
RICH = replace(CONTEXT, others=OTHERS, can_upscale=True, can_zoom=True, can_vary=True, has_studio=True)


def asked_for() -> JobView:
    view = done()
    request = replace(REQUEST, negative_prompt="dogs, cats", loras=(Lora(name="ink", weight=0.8),))
    asked = ("steps", "cfg_scale", "sampler", "negative_prompt", "loras")
    origin = replace(JOB.origin, asked=asked, styles=("Watercolor",))
    return replace(view, job=replace(view.job, request=request, drawn=request, origin=origin))


def upscaled(of: str) -> JobView:
    view = done()
    request = replace(REQUEST, mode=Mode.UPSCALE, upscale_factor=2.0)
    origin = replace(JOB.origin, deed=Deed.UPSCALE, parent_job_id="p", parent_user_id=of, parent_channel_id="2",
                     parent_message_id="9")  # fmt: skip
    return replace(view, job=replace(view.job, request=request, drawn=request, origin=origin))


CARDS = {
    "queued_third": (JobView(job=JOB, position=3, eta_s=40.0), CONTEXT, ()),
    "queued_engine_down": (JobView(job=JOB, position=2, hold=Hold.DOWN, hold_s=10.0), CONTEXT, ()),
    "queued_engine_gone": (JobView(job=JOB, position=1, hold=Hold.DOWN, away=AWAY), CONTEXT, ()),
    "queued_engine_stopped": (
        JobView(job=JOB, position=2, hold=Hold.DOWN, away=AWAY), replace(CONTEXT, start_command="`/gpu start`"), ()
    ),
    "queued_behind_engine_gone": (JobView(job=JOB, position=2, hold=Hold.DOWN, away=AWAY), CONTEXT, ()),
    "queued_engine_pauses": (JobView(job=JOB, position=1, hold=Hold.PAUSED, hold_s=30.0), CONTEXT, ()),
    "queued_next": (JobView(job=JOB, position=1), CONTEXT, ()),
    "queued_retry": (JobView(job=replace(JOB, not_before=NOW + timedelta(seconds=5)), position=1), CONTEXT, ()),
    "queued_with_note": (JobView(job=replace(JOB, notes=("unknown option --stepz: did you mean --steps?",))),
                         CONTEXT, ()),
    "running_starting": (JobView(job=RUNNING), CONTEXT, ()),
    "running_step": (JobView(job=RUNNING, progress=PROGRESS), CONTEXT, ()),
    "running_note": (JobView(job=RUNNING, progress=Progress(fraction=0.0, note="loading the model")), CONTEXT, ()),
    "done": (done(), RICH, FILE),
    "done_sketch": (done(), CardContext(engine="sketch", remark="sketch: drawn by rules, not by an AI model",
                                   has_models=False, has_samplers=False, can_upscale=True, can_zoom=True), FILE),
    "done_asked": (asked_for(), RICH, FILE),
    "done_upscaled": (upscaled("7"), RICH, FILE),
    "done_upscaled_own": (upscaled("42"), RICH, FILE),
    "done_batch": (done(4), RICH, FILE),
    "done_batch_of_ten": (done(10), RICH, FILE),
    "done_from_cache": (done(from_cache=True, seconds=0.0), CONTEXT, FILE),
    "done_paid_and_bent": (done(cost_usd=0.04, notes=("negative prompt ignored",)), replace(CONTEXT, smaller_copy=True),
                           FILE),
    "done_expired": (done(), CONTEXT, ()),
    "failed": (failed("It gave an answer that cannot be read."), CONTEXT, ()),
    "failed_offline": (failed("gpu-box is not answering.", code="backend_unavailable", hint="Try again in a minute."),
                       replace(RICH, tried=("gpu-box", "grid", "gpu-box")), ()),
    "expired": (JobView(job=replace(JOB, status=JobStatus.EXPIRED)), CONTEXT, ()),
    "cancelled_running": (JobView(job=replace(JOB, status=JobStatus.CANCELLED, started_at=NOW,
                                              finished_at=NOW + timedelta(seconds=6))), CONTEXT, ()),
    "failed_memory": (failed("The engine ran out of memory.", code="out_of_memory"), CONTEXT, ()),
    "cancelled": (JobView(job=replace(JOB, status=JobStatus.CANCELLED)), CONTEXT, ()),
}  # fmt: skip


def test_a_picture_drawn_by_rules_is_not_called_an_ai_image() -> None:
    job = done(2).job
    assert job.result is not None
    image = job.result.images[0]
    assert alt_of(job, image).startswith("AI image, 2 in a grid: ")
    sketched = replace(job, result=replace(job.result, notes=(TEXT,), images=job.result.images[:1]))
    assert alt_of(sketched, image).startswith("Image drawn by rules, not by an AI model: ")


@pytest.mark.parametrize("name", CARDS)
def test_card_reads_as_it_was_agreed(name: str) -> None:
    view, around, pictures = CARDS[name]
    check_snapshot(f"card_{name}", drawn(render.card(view, around, NOW, pictures)))


@pytest.mark.parametrize("name", CARDS)
def test_card_fits_a_phone_and_discords_limits(name: str) -> None:
    view, around, pictures = CARDS[name]
    card = render.card(view, around, NOW, pictures)
    assert len(card.content) <= 2000
    assert len(card.rows) <= 3
    for row in card.rows:
        if isinstance(row, Menu):
            assert row is card.rows[-1]
            assert 1 <= len(row.choices) <= 25
            assert len({choice.value for choice in row.choices}) == len(row.choices)
            continue
        assert len(row) <= 5
        labels = [button.label for button in row if len(button.label) > 2]
        assert not labels or (len(row) <= 3 and sum(map(len, labels)) <= 36)
        assert all(len(button.custom_id) <= 100 for button in row)


def test_longest_texts_still_fit() -> None:
    request = replace(REQUEST, prompt="*" * 4000, model="_" * 300)
    job = replace(JOB, request=request, drawn=request, notes=("`" * 900,) * 5)
    for view in (JobView(job=job), replace(done(), job=replace(job, status=JobStatus.DONE, result=done().job.result))):
        assert len(render.card(view, CONTEXT, NOW).content) <= 2000
        if view.job.result is not None:
            assert len(alt_of(view.job, view.job.result.images[0])) <= 1024


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@everyone", "@\u200beveryone"),
        ("<@42> <#1> <t:1:R>", "‹@\u200b42> ‹#1> ‹t:1:R>"),
        ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
        ("https://example.com", "https:\u200b//example.com"),
        ("two\nlines", "two lines"),
        ("order < steps, 3 <4 <= 5, < @1> <", "order < steps, 3 <4 <= 5, < @\u200b1> ‹"),
    ],
)
def test_peoples_text_is_plain(text: str, shown: str) -> None:
    assert render.escape(text) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"), [(0, "▱" * 12), (0.5, "▰" * 6 + "▱" * 6), (1, "▰" * 12), (7, "▰" * 12), (-1, "▱" * 12)]
)
def test_bar_has_twelve_cells(fraction: float, shown: str) -> None:
    assert render.bar(fraction) == shown


def test_img2img_names_its_strength() -> None:
    request = replace(
        REQUEST, mode=Mode.IMG2IMG, init_image=SourceImage(media_id="m"), denoising_strength=0.6, sampler=None
    )
    origin = replace(JOB.origin, asked=("denoising_strength", "steps"))
    view = JobView(job=replace(JOB, request=request, drawn=request, origin=origin))
    assert "seed 81245 · img2img · 25 steps · strength 0.6" in render.card(view, CONTEXT, NOW).content


def test_name_of_a_workflow_is_in_the_small_print() -> None:
    drawn_with = replace(REQUEST, workflow=WorkflowRef(name="my_portrait", id="1"))
    view = done()
    job = replace(view.job, request=drawn_with, drawn=drawn_with)
    assert "workflow my\\_portrait" in small_print(job)


def test_words_from_right_to_left_do_not_turn_what_stands_around_them() -> None:
    assert render.escape("ثعلب أحمر") == "\u2068ثعلب أحمر\u2069"
    assert render.escape("שועל **אדום**") == "\u2068שועל \\*\\*אדום\\*\\*\u2069"
    assert render.escape("ein Fuchs im Schnee, ünïcode 狐") == "ein Fuchs im Schnee, ünïcode 狐"
