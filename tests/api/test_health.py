"""For those who watch over Easel."""

import asyncio
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.quick import ANSWERS, QuickAnswers
from store.database import Database
from store.folder import DATABASE_NAME
from utils.loops import LoopState


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_monitors_may_ask_by_head(client, path):
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_admin_leads_to_where_keys_are_made(client):
    answer = await client.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/#/settings")


def locked(path: Path) -> Any:
    """Hold a database as another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


@pytest.mark.parametrize(
    ("name", "words"),
    [(DATABASE_NAME, "the database cannot be written"), ("media_cache/cache.sqlite3", "pictures cannot be kept")],
)
async def test_a_locked_database_is_not_ready(site, client, monkeypatch, tmp_path, name, words):
    monkeypatch.setattr(Database.check_writable, "__defaults__", (0.02,))
    assert (await client.get("/readyz")).json()["status"] == "ready"
    with locked(tmp_path / name):
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, words)
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/api/jobs")).status_code == 200  # reading goes on
    assert (await client.get("/readyz")).status_code == 200


async def test_a_full_disk_is_not_ready(client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 4096))
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "pictures cannot be kept")


async def test_a_database_that_is_gone_is_not_ready_and_not_made_anew(client, tmp_path):
    (tmp_path / DATABASE_NAME).rename(tmp_path / "elsewhere")
    assert (await client.get("/readyz")).status_code == 503
    assert not (tmp_path / DATABASE_NAME).exists()


async def test_questions_that_come_together_share_one_look(site, client, monkeypatch):
    looks = []
    check = Database.check_writable

    async def counted(self: Database) -> None:
        looks.append(self.path.name)
        await check(self)

    monkeypatch.setattr(Database, "check_writable", counted)
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(looks) < 10


async def test_an_error_names_no_path(client, tmp_path):
    (tmp_path / DATABASE_NAME).rename(tmp_path / "elsewhere")
    assert str(tmp_path) not in (await client.get("/readyz")).text


@pytest.mark.parametrize("path", ANSWERS)
async def test_what_is_answered_quickly_is_answered_as_by_its_route(site, client, monkeypatch, path):
    dead = LoopState(name="queue", restarts=1, is_down=True)
    monkeypatch.setattr(site.web.services.loops, "states", lambda: [dead])
    quick = [await client.request(method, path) for method in ("GET", "HEAD")]
    monkeypatch.setattr(QuickAnswers, "__call__", lambda self, scope, receive, send: self._app(scope, receive, send))
    slow = [await client.request(method, path) for method in ("GET", "HEAD")]
    assert [(answer.status_code, answer.content, dict(answer.headers)) for answer in quick] == [
        (answer.status_code, answer.content, dict(answer.headers)) for answer in slow
    ]
    assert (await client.request("GET", path, headers={"Host": "rebound.example"})).status_code == 421
    assert (await client.post(path)).status_code == 405
