"""Prompts as people typed them in Discord, what the engine is asked for, and what is told of words without a use."""

from dataclasses import replace

import pytest

from generation.capabilities import Capabilities
from generation.request import GenerationRequest, Lora, Mode
from tests.e2e.conftest import StartEasel
from tests.fakes import FakeBackend

CAN = Capabilities(
    modes=frozenset(Mode),
    models=(),
    samplers=("Euler",),
    schedulers=("Karras",),
    loras=("tinylora",),
    max_seed=2**64 - 1,
)
READS_TAGS = replace(CAN, reads_lora_tags=True)
LARGE_SEED = 156680208700286


async def asked(start: StartEasel, text: str, can: Capabilities = CAN) -> tuple[GenerationRequest, str]:
    engine = FakeBackend(capabilities=can)
    easel = await start(engine)
    answer = await easel.dream(f"!dream {text}")
    return engine.requests[0], answer.content.replace("\\", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a cat --seed {LARGE_SEED}", {"prompt": "a cat", "seed": LARGE_SEED}),
        ("<lora:tinylora: 0.8 > cat", {"prompt": "cat", "loras": (Lora(name="tinylora", weight=0.8),)}),
        ("<lora:tinylora:0,8> cat", {"prompt": "cat", "loras": (Lora(name="tinylora", weight=0.8),)}),
        ("cat {a|<lora:tinylora:1>}", {"prompt": "cat {a|<lora:tinylora:1>}", "loras": ()}),
        ("a cat --steps\u200b 30", {"prompt": "a cat", "steps": 30}),
        ("a cat,--steps 20", {"prompt": "a cat,", "steps": 20}),
        ("a cat)--steps 20", {"prompt": "a cat)", "steps": 20}),
        ("一只猫 ——steps 20", {"prompt": "一只猫", "steps": 20}),
        ("a cat −−steps 20", {"prompt": "a cat", "steps": 20}),
        ("```\na cat\n```", {"prompt": "a cat"}),
    ],
)
async def test_the_engine_is_asked_for_what_was_meant(
    start: StartEasel, text: str, expected: dict[str, object]
) -> None:
    request, _ = await asked(start, text)
    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("tag", "details"),
    [("<lora:tinylora:0.8:0.5>", "0.5"), ("<lora:tinylora:0.8:te=0.5:unet=0.7>", "te=0.5:unet=0.7"),
     ("<lora:tinylora:0.8:lbw=1,0,1>", "lbw=1,0,1")],
)  # fmt: skip
async def test_the_rest_of_a_tag_goes_to_an_engine_that_reads_it_and_is_told_elsewhere(
    start: StartEasel, tag: str, details: str
) -> None:
    request, _ = await asked(start, f"{tag} cat", READS_TAGS)
    assert request.loras == (Lora(name="tinylora", weight=0.8, details=details),)


@pytest.mark.parametrize("tag", ["<lora:tinylora:0.8:0.5>", "<lora:tinylora:0.8:lbw=1,0,1>"])
async def test_the_rest_of_a_tag_is_told_where_it_is_left_out(start: StartEasel, tag: str) -> None:
    request, answer = await asked(start, f"{tag} cat")
    assert request.loras == (Lora(name="tinylora", weight=0.8),)
    assert "left out, which only A1111 and Forge read" in answer


async def test_a_weight_that_is_none_is_refused_in_words(start: StartEasel) -> None:
    engine = FakeBackend(capabilities=CAN)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream <lora:tinylora:abc> cat"))
    assert "LoRA cannot be “tinylora:abc”" in answer.content.replace("\\", "")
    assert engine.requests == []
