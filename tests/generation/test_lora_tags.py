"""`<lora:x:1>` means a LoRA wherever it is written."""

import pytest

from constants import MAX_PROMPT_CHARS
from generation.capabilities import Capabilities, Fit, Refused, fit
from generation.errors import RequestRejected
from generation.request import Draft, GenerationRequest, Lora, Mode
from generation.resolve import resolve_for

ENGINE = Capabilities(
    modes=frozenset({Mode.TXT2IMG}), loras=("ink", "styles/neon.safetensors"), lora_aliases=("Tusche",)
)


def resolved(draft: Draft) -> GenerationRequest:
    return resolve_for(draft, ENGINE)


def test_tags_in_both_prompts_become_loras_in_the_order_they_stand() -> None:
    draft = Draft(
        prompt="a <lora:ink:0.8> fox\n<LYCO:neon>", negative_prompt="blur <lora:ink:-0.5>", loras=(Lora(name="a"),)
    )
    request = resolved(draft)
    assert (request.prompt, request.negative_prompt) == ("a fox", "blur")
    assert request.loras == (
        Lora(name="a"), Lora(name="ink", weight=0.8), Lora(name="neon"), Lora(name="ink", weight=-0.5),
    )  # fmt: skip


@pytest.mark.parametrize("words", ["a  fox,\n\nin < the > snow", "<b>bold</b>", "<lora:>", "lora:ink:1", ""])
def test_words_without_a_tag_stay_as_they_were_written(words: str) -> None:
    request = resolved(Draft(prompt=words, negative_prompt=words))
    assert (request.prompt, request.negative_prompt, request.loras) == (words, words, ())


def test_a_tag_is_no_way_around_the_range_of_a_weight_or_the_length_of_a_prompt() -> None:
    for prompt in ("a fox <lora:ink:500>", "<lora:ink:1>" * MAX_PROMPT_CHARS):
        with pytest.raises(RequestRejected):
            resolved(Draft(prompt=prompt))


@pytest.mark.parametrize(
    ("reply", "drawn"), [("INK", "ink"), ("neon", "styles/neon.safetensors"), ("tusche", "Tusche")]
)
def test_a_tag_is_matched_like_every_name(reply: str, drawn: str) -> None:
    fitted = fit(resolved(Draft(prompt=f"a fox <lora:{reply}:1>")), ENGINE)
    assert isinstance(fitted, Fit)
    assert fitted.request.loras == (Lora(name=drawn),)


def test_an_unknown_one_is_refused_by_its_name() -> None:
    refused = fit(resolved(Draft(prompt="a fox <lora:nope:1>")), ENGINE)
    assert isinstance(refused, Refused)
    assert "no LoRA “nope”" in refused.reasons[0]
