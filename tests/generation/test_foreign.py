"""Whatever an engine says, our values hold text that can be stored and shown, and numbers that count."""

import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constants import MAX_SEED
from generation.capabilities import Capabilities, Fit, ModelInfo, fit
from generation.errors import BackendGone, GenerationError
from generation.foreign import clean_line, clean_name, clean_text, visible
from generation.job import JobError, Progress
from generation.request import Draft, GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult, JobResult, StoredImage

ANY_TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["\udcc4\udce3model.safetensors", "a\x1b[31mred", "\u202egnp.exe", "zero\u200bwidth", "a\0b", "Z" + "\u0300" * 50]
)
ANY_NUMBER = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), math.inf, -math.inf, math.nan])
REQUEST = GenerationRequest(prompt="a fox", width=512, height=512, steps=20, cfg_scale=7.0, seed=1)


def is_clean(text: str) -> bool:
    text.encode()
    joiners = "\u200c\u200d"
    return all(
        unicodedata.category(item) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or item in joiners + "\n" for item in text
    )


@given(ANY_TEXT)
def test_every_text_can_be_stored_sent_and_shown(text: str) -> None:
    for cleaned in (clean_name(text), clean_line(text), clean_text(text)):
        assert is_clean(cleaned)
    assert "\n" not in clean_name(text) + clean_line(text)
    assert clean_line(clean_line(text)) == clean_line(text)


@pytest.mark.parametrize(
    "name",
    ["dreamshaper_8.safetensors [879db523c3]", "sub/folder  two spaces.pt", "модель 城 é", "नमस्ते", "👩\u200d🚀", "Ấ"],
)
def test_an_honest_name_stays_as_it_is_since_it_is_sent_back(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\udcc4\udce3model", "\ufffd\ufffdmodel"),
        ("a\u202eb\u2066c\u200fd", "abcd"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        ("a\x1b[2J\x1b]0;title\x07b", "ab"),
        ("plain\u200djoiner", "plainjoiner"),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 3),
    ],
)
def test_what_cannot_be_seen_goes_and_what_cannot_be_kept_is_replaced(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.lists(ANY_TEXT, max_size=5), ANY_NUMBER, ANY_TEXT)
def test_capabilities_hold_only_names_that_can_be_listed_and_numbers_that_count(
    names: list[str], number: Any, remark: str
) -> None:
    can = Capabilities(
        modes=frozenset({Mode.TXT2IMG}),
        models=tuple(ModelInfo(name=name, title=name) for name in names),
        loras=tuple(names), samplers=tuple(names), remark=remark,
        size_grid=number, max_side=number, max_steps=number, max_batch=number, default_width=number,
        default_steps=number, default_cfg_scale=number, max_seed=number,
    )  # fmt: skip
    shown = [*(can.loras or ()), *(can.samplers or ()), *(part for m in can.models or () for part in (m.name, m.title))]
    assert all(map(is_clean, [*shown, can.remark]))
    assert all(shown)
    assert math.isfinite(can.default_cfg_scale)
    fitted = fit(REQUEST, can)
    assert not isinstance(fitted, Fit) or fitted.request.width >= 1


@given(ANY_NUMBER, ANY_TEXT)
def test_results_progress_and_errors_hold_clean_values(number: Any, text: str) -> None:
    image = GeneratedImage(data=b"", seed=number)
    kept = StoredImage(
        media_id="m", seed=number, width=number, height=number, media_type="image/png", size_bytes=number
    )
    result = GenerationResult(images=(image,), model=text, cost_usd=number, notes=(text,))
    stored = JobResult(images=(kept,), backend=text, seconds=number, model=text, notes=(text,))
    progress = Progress(fraction=number, step=number, steps=number, eta_s=number, note=text)
    error, gone = GenerationError(text, detail=text, hint=text, retry_after=number), BackendGone(text, reason=text)
    reason = JobError(code="x", user_message=text, hint=text)
    assert 0 <= image.seed <= MAX_SEED
    assert 0 <= kept.seed <= MAX_SEED
    assert 0 <= progress.fraction <= 1
    assert all(map(math.isfinite, (result.cost_usd, stored.seconds, progress.eta_s or 0, error.retry_after or 0)))
    texts = [*result.notes, result.model, *stored.notes, stored.backend, progress.note, error.user_message, error.hint]
    texts += [error.detail, str(error), gone.reason, reason.user_message, reason.hint]
    assert all(is_clean(item) for item in texts if item)


@pytest.mark.parametrize(("seed", "kept"), [(-1, MAX_SEED), (MAX_SEED, MAX_SEED), (MAX_SEED + 8, 7), (3, 3)])
def test_a_seed_is_64_bits_of_what_an_engine_says(seed: int, kept: int) -> None:
    assert GeneratedImage(data=b"", seed=seed).seed == kept


@pytest.mark.parametrize("most", [2**31 - 1, 2**32 - 1, 2**53 - 1, 9_999_999])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_seed_above_an_engines_own_range_is_folded_and_told(most: int, batch: int) -> None:
    can = Capabilities(modes=frozenset({Mode.TXT2IMG}), max_seed=most)
    request = GenerationRequest(
        prompt="a fox", width=512, height=512, steps=20, cfg_scale=7.0, seed=MAX_SEED, batch_size=batch
    )
    fitted = fit(request, can)
    assert isinstance(fitted, Fit)
    assert fitted.request.seed + batch - 1 <= most
    assert fitted.notes == (f"seed {MAX_SEED} → {fitted.request.seed}, in this engine’s range",)


def test_minus_one_is_a_seed_that_nobody_said() -> None:
    assert Draft(seed=-1).seed is None
    assert Draft(seed=-1).over(Draft(seed=7)).seed == 7


def test_words_that_no_database_takes_are_replaced_when_they_come_in() -> None:
    assert Draft(prompt="a \udcff fox", model="\udcc4m").prompt == "a \ufffd fox"
