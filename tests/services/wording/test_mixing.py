"""Styles mixed by a text engine, and by rules where it cannot, always within the house rules."""

from typing import Any

import pytest

from generation.errors import BackendUnavailable, HouseRefusal, RequestRejected
from services.wording.mixing import MixService
from tests.services.wording.rig import ORIGIN, FakeGate, FakeTextEngine, text_service

INK, NEON = "ink on paper, thin lines, white ground", "neon light, wet streets, Thin lines"


def mixing(engine: Any, gate: FakeGate | None = None) -> MixService:
    rules: Any = gate or FakeGate()
    return MixService(text_service(engine), rules)


async def test_a_model_mixes_them_into_one_line():
    engine = FakeTextEngine({"style": "ink drawn in neon, --steps 9 {wet|dry} lines."})
    mixed = await mixing(engine).mix([INK, NEON], ORIGIN)
    assert (mixed.words, mixed.source) == ("ink drawn in neon, steps 9 (wet,dry) lines", "claude-haiku-5-5")
    assert engine.asked[0].words == f"{INK}\n{NEON}"


@pytest.mark.parametrize(
    ("engine", "note"),
    [
        (None, "No text engine is connected here: the rules mixed these."),
        (FakeTextEngine(BackendUnavailable("It is gone.")), "It is gone. The rules mixed these instead."),
        (FakeTextEngine({"style": " "}), "claude-haiku-5-5 gave an empty answer. The rules mixed these instead."),
    ],
)
async def test_else_the_rules_take_turns_and_say_so(engine: Any, note: str):
    mixed = await mixing(engine).mix([INK, NEON], ORIGIN)
    assert mixed.words == "ink on paper, neon light, thin lines, wet streets, white ground"
    assert (mixed.source, mixed.note) == ("rules", note)


async def test_what_may_not_be_drawn_is_neither_sent_nor_taken():
    engine = FakeTextEngine({"style": "naked light"})
    with pytest.raises(HouseRefusal):
        await mixing(engine, FakeGate("ink")).mix([INK, NEON], ORIGIN)
    assert engine.asked == []
    assert (await mixing(engine, FakeGate("naked")).mix([INK, NEON], ORIGIN)).source == "rules"


async def test_one_style_is_no_mix():
    with pytest.raises(RequestRejected, match="2 or 3 styles"):
        await mixing(None).mix([INK], ORIGIN)
