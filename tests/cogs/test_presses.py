"""One listener finds whose press it is; what nobody answers any more is told, what is another bot's is left alone."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import nextcord
import pytest

from cogs.cards import OTHER_VERSION
from cogs.presses import Press, Presses, Route

COMPONENT, FORM = nextcord.InteractionType.component, nextcord.InteractionType.modal_submit


def pressed(custom_id: str, kind: nextcord.InteractionType = COMPONENT, *values: str) -> Any:
    response = SimpleNamespace(is_done=lambda: False, send_message=AsyncMock())
    return SimpleNamespace(type=kind, data={"custom_id": custom_id, "values": list(values)}, response=response)


class Cog:
    """Remembers who was asked what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Press]] = []

    def routes(self) -> tuple[Route, ...]:
        def into(name: str) -> Any:
            async def handle(_: nextcord.Interaction, press: Press) -> None:
                self.asked.append((name, press))

            return handle

        return (
            Route(action="edit", handle=into("edit"), takes_forms=True),
            Route(action="picture", argument="draw", handle=into("draw")),
            Route(action="picture", handle=into("picture")),
            Route(prefix="c1", action="cancel", handle=into("cancel")),
        )


@pytest.fixture
def cog() -> Cog:
    return Cog()


@pytest.fixture
def presses(cog: Cog) -> Presses:
    router = Presses()
    router.add(cog)
    router.add(object())  # a cog without controls
    return router


@pytest.mark.parametrize(
    ("custom_id", "name", "press"),
    [
        ("e1:edit:3f9a", "edit", Press(action="edit", job_id="3f9a")),
        ("e1:picture:3f9a:draw", "draw", Press(action="picture", job_id="3f9a", argument="draw")),
        ("e1:picture:3f9a:vary", "picture", Press(action="picture", job_id="3f9a", argument="vary")),
        ("e1:picture::a:b", "picture", Press(action="picture", argument="a:b")),
        ("c1:cancel:77", "cancel", Press(action="cancel", job_id="77")),
    ],
)
async def test_a_press_finds_the_cog_that_answers_it(presses, cog, custom_id, name, press) -> None:
    await presses.on_press(pressed(custom_id))
    assert cog.asked == [(name, press)]


async def test_what_was_chosen_in_a_menu_comes_along(presses, cog) -> None:
    await presses.on_press(pressed("e1:edit:1", COMPONENT, "a", "b"))
    assert cog.asked[0][1].values == ("a", "b")


@pytest.mark.parametrize("custom_id", ["e1:gone:1", "e1:cancel:1", "c1:edit:1", "e1"])
async def test_a_control_of_another_version_is_told_to_who_pressed(presses, cog, custom_id) -> None:
    interaction = pressed(custom_id)
    await presses.on_press(interaction)
    assert cog.asked == []
    assert OTHER_VERSION in interaction.response.send_message.call_args.args[0]


@pytest.mark.parametrize("custom_id", ["", "again", "e2:edit:1", "e1x"])
async def test_controls_of_other_bots_are_left_alone(presses, cog, custom_id) -> None:
    interaction = pressed(custom_id)
    await presses.on_press(interaction)
    assert (cog.asked, interaction.response.send_message.called) == ([], False)


async def test_a_form_reaches_only_who_takes_forms(presses, cog) -> None:
    await presses.on_press(pressed("e1:edit:1", FORM))
    await presses.on_press(pressed("e1:picture:1:draw", FORM))
    assert [name for name, _ in cog.asked] == ["edit"]


async def test_other_interactions_are_none_of_its_affairs(presses, cog) -> None:
    await presses.on_press(pressed("e1:edit:1", nextcord.InteractionType.application_command))
    assert cog.asked == []


def test_two_cogs_cannot_answer_the_same(presses) -> None:
    with pytest.raises(ValueError, match="two cogs answer e1:edit"):
        presses.add(Cog())
