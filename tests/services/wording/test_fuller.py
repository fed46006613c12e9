"""Short prompts written more fully where that is set; what was written with care stays as it is."""

from dataclasses import replace

import pytest

from generation.request import Draft, Mode, SourceImage, WorkflowRef
from services.wording.fuller import FullerPrompts
from tests.services.wording.rig import ORIGIN, EmptyTill, FakeTextEngine, text_service

SHORT = Draft(prompt="a red fox")


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (SHORT, True),
        (Draft(prompt="a (red:1.2) fox"), False),
        (Draft(prompt="a fox <lora:fur:1>"), False),
        (Draft(prompt="fox " * 13), False),
        (Draft(prompt=""), False),
        (replace(SHORT, mode=Mode.IMG2IMG, init_image=SourceImage(media_id="a")), False),
        (replace(SHORT, workflow=WorkflowRef(name="w")), False),
    ],
    ids=str,
)
def test_only_a_few_plain_words_are_written_more_fully(draft: Draft, expected: bool) -> None:
    fuller = FullerPrompts(text_service(FakeTextEngine()), is_on=True)
    assert fuller.wants(draft, ORIGIN) is expected
    assert not fuller.wants(draft, replace(ORIGIN, group_id="side by side"))
    assert not FullerPrompts(text_service(FakeTextEngine()), is_on=False).wants(draft, ORIGIN)
    assert not FullerPrompts(text_service(None), is_on=True).wants(draft, ORIGIN)


async def test_where_a_budget_has_no_money_for_it_the_prompt_is_drawn_as_typed() -> None:
    service = text_service(engine := FakeTextEngine({"prompt": "a red fox in snow"}))
    service.till = EmptyTill()
    draft, notes = await FullerPrompts(service, is_on=True).write(SHORT, ORIGIN)
    assert draft == SHORT
    assert "Daily budget exceeded" in notes[0]
    assert engine.asked == []
