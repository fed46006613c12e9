"""Requests, kept from the moment it was heard until its jobs are stored."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from generation.errors import StoreUnavailable
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.request import ControlUnit, Draft, Lora, Mode, Pan, SourceImage, WorkflowRef
from store.database import Database
from store.intakes import Intake, IntakeStore
from store.words import WordStore
from tests.queue_rig import BOX

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ORIGIN = Origin(
    door="discord",
    user_id="7",
    user_name="mia",
    guild_id="1",
    channel_id="2",
    source_message_id="3",
    reply_token="a-token-that-is-secret",
    reply_token_until=NOW + timedelta(minutes=15),
    private=True,
)
ORDER = Order(
    kind=OrderKind.CONTROL,
    draft=Draft(
        prompt="a fox",
        mode=Mode.INPAINT,
        aspect=(3, 2),
        loras=(Lora(name="ink", weight=0.5),),
        control=(ControlUnit(kind="canny", image=SourceImage(media_id="")),),
        pan=Pan.LEFT,
        workflow=WorkflowRef(name="mine"),
    ),
    notes=("unknown --foo",),
    repeat=3,
    files=("https://cdn.example/fox.png?ex=1",),
    media_id="m",
    job_id="j",
    drop=("model",),
    engines=("gpu", "grid"),
    replaces=True,
)
INTAKE = Intake(id="11", order=ORDER, origin=ORIGIN, created_at=NOW)


@pytest.fixture
def store(database: Database) -> IntakeStore:
    return IntakeStore(database, BOX)


async def test_an_intake_comes_back_as_it_was(store: IntakeStore) -> None:
    assert await store.take(INTAKE)
    assert await store.left("discord", NOW + timedelta(seconds=1)) == [INTAKE]
    assert await store.left("discord", NOW) == []
    assert await store.left("api", NOW + timedelta(seconds=1)) == []


async def test_the_same_id_is_taken_once_also_after_its_end(store: IntakeStore) -> None:
    assert await store.take(INTAKE)
    assert not await store.take(replace(INTAKE, order=Order(kind=OrderKind.DRAW)))
    await store.close(INTAKE.id, NOW)
    assert not await store.take(INTAKE)
    assert await store.left("discord", NOW + timedelta(days=1)) == []


async def test_a_closed_one_holds_no_words_and_no_token_and_is_forgotten_after_an_hour(
    store: IntakeStore, database: Database
) -> None:
    await store.take(INTAKE)
    assert "a-token-that-is-secret" not in str([tuple(row) for row in await database.fetch("SELECT * FROM intakes")])
    await store.close(INTAKE.id, NOW)
    [row] = await database.fetch("SELECT * FROM intakes")
    assert "fox" not in str(tuple(row))
    assert (row["said"], row["origin"], row["reply_token"]) == ("", "", "")
    await store.take(replace(INTAKE, id="12"))
    await store.close("12", NOW + timedelta(minutes=61))
    assert [row["id"] for row in await database.fetch("SELECT id FROM intakes")] == ["12"]


async def test_each_start_is_counted_and_a_closed_one_is_not_begun(store: IntakeStore) -> None:
    await store.take(INTAKE)
    again = await store.start(INTAKE)
    assert again is not None
    assert again.starts == 2
    await store.close(INTAKE.id, NOW)
    assert await store.start(INTAKE) is None


async def test_the_message_that_awaits_the_answer_is_noted(store: IntakeStore) -> None:
    await store.take(INTAKE)
    noted = await store.attach(INTAKE, channel_id="5", message_id="6")
    assert (noted.origin.channel_id, noted.origin.message_id) == ("5", "6")
    assert await store.left("discord", NOW + timedelta(seconds=1)) == [noted]


async def test_what_a_forgotten_person_asked_for_is_forgotten(store: IntakeStore, database: Database) -> None:
    await store.take(INTAKE)
    await store.take(replace(INTAKE, id="12"))
    await store.close("12", NOW)
    await store.take(replace(INTAKE, id="13", origin=replace(ORIGIN, user_id="8")))
    await WordStore(database).forget_person("discord:7", "forgotten:1")
    assert [item.id for item in await store.left("discord", NOW + timedelta(seconds=1))] == ["13"]


async def test_the_rest_of_an_order_takes_its_place(store: IntakeStore, database: Database) -> None:
    await store.take(INTAKE)
    rest = Order(kind=OrderKind.CANCEL, job_id="j")
    await database.write_all([store.going_on(INTAKE.id, rest)])
    assert [item.order for item in await store.left("discord", NOW + timedelta(seconds=1))] == [rest]


async def test_a_full_disk_is_told_in_words() -> None:
    class FullDatabase:
        async def write(self, sql: str, params: object = ()) -> list[sqlite3.Row]:
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreUnavailable, match="disk is full or locked"):
        await IntakeStore(FullDatabase(), BOX).take(INTAKE)  # type: ignore[arg-type]
