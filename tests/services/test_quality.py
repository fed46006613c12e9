"""`quality` and `style` of hosted services: as steps and words, or a note that says why not."""

import pytest

from generation.capabilities import Capabilities
from generation.errors import RequestRejected
from generation.request import Draft, Mode
from services.drawing.quality import with_quality, with_style
from services.drawing.styles import StyleService
from services.engines.catalog import Engine

FOX = Draft(prompt="a fox")


def engine(capabilities: Capabilities | None) -> Engine:
    return Engine(
        name="gpu",
        label="gpu",
        kind="a1111",
        owner_kind="easel",
        is_fallback=False,
        capabilities=capabilities,
        error=None,
    )


STEPS = engine(Capabilities(modes=frozenset({Mode.TXT2IMG}), supports_steps=True, default_steps=20))
NO_STEPS = engine(Capabilities(modes=frozenset({Mode.TXT2IMG}), supports_steps=False))


@pytest.mark.parametrize(("quality", "steps"), [("low", 10), ("HD", 30), ("standard", None), (None, None)])
def test_a_quality_is_a_share_of_the_usual_steps(quality, steps) -> None:
    look = with_quality(FOX, quality, STEPS)
    assert look.draft.steps == steps
    assert look.notes == ((f"quality {quality}: {steps} steps instead of 20",) if steps else ())


@pytest.mark.parametrize(
    ("draft", "drawing", "why"),
    [
        (Draft(prompt="a fox", steps=7), STEPS, "steps were given"),
        (FOX, NO_STEPS, "the engine has no steps to choose"),
        (FOX, None, "the engine has no steps to choose"),
        (FOX, engine(None), "the engine has no steps to choose"),
    ],
)
def test_a_quality_that_cannot_be_had_is_ignored_with_a_note(draft, drawing, why) -> None:
    look = with_quality(draft, "high", drawing)
    assert look.draft == draft
    assert look.notes == (f"quality high ignored: {why}",)


def test_an_unknown_quality_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestRejected, match="Allowed: one of low, medium") as refused:
        with_quality(FOX, "ultra", STEPS)
    assert refused.value.field == "quality"


async def test_a_style_is_words_in_the_prompt(tmp_path) -> None:
    styles = StyleService(tmp_path)
    assert await with_style(FOX, None, styles) == FOX
    assert (await with_style(FOX, "Vivid", styles)).prompt == "a fox, vivid colors, dramatic lighting"


async def test_an_unknown_style_is_refused_with_both_kinds_of_style_there_are(tmp_path) -> None:
    with pytest.raises(RequestRejected) as refused:
        await with_style(FOX, "nonsense", StyleService(tmp_path))
    assert refused.value.field == "style"
    assert "vivid or natural" in (refused.value.hint or "")
