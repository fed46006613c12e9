"""The books of the text engine."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.database import Database
from store.text_uses import TextUse, TextUseStore
from store.words import WordStore
from tests.store.ready import open_database

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
USE = TextUse(model="m", purpose="enhance", answered=1, tokens_in=10, tokens_out=5, cost_usd=0.25)


@pytest.fixture
async def database(tmp_path: Path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


async def test_questions_of_a_day_are_one_row_without_words(database: Database):
    store = TextUseStore(database)
    for __ in range(3):
        await store.add(USE, "discord:1", NOW)
    await store.add(replace(USE, answered=0, failed=1), "discord:1", NOW)
    rows = await database.fetch("SELECT * FROM text_uses")
    assert [dict(row) for row in rows] == [
        {"day": "2026-11-29", "user_key": "discord:1", "model": "m", "purpose": "enhance", "answered": 3, "failed": 1,
         "tokens_in": 40, "tokens_out": 20, "cost_usd": 1.0}
    ]  # fmt: skip


async def test_sums_are_of_one_person_or_all_since_a_day(database: Database):
    store = TextUseStore(database)
    await store.add(USE, "discord:1", NOW)
    await store.add(USE, "discord:2", NOW.replace(day=28))
    await store.add(replace(USE, model="n"), "discord:2", NOW)
    assert [(use.model, use.answered) for use in await store.totals()] == [("m", 2), ("n", 1)]
    assert [use.model for use in await store.totals(since="2026-11-29", user_key="discord:2")] == ["n"]


async def test_whoever_is_forgotten_leaves_the_sums_without_their_name(database: Database):
    store = TextUseStore(database)
    await store.add(USE, "discord:1", NOW)
    await WordStore(database).forget_person("discord:1", "forgotten:x")
    assert await store.totals(user_key="discord:1") == []
    assert [use.answered for use in await store.totals()] == [1]
