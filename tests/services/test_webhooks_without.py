"""Without a hook the outbox stays empty, and no change of a job is a reason to look into it."""

import asyncio

import pytest
from cryptography.fernet import Fernet

from generation.job import Webhook
from services.reports.webhooks import WebhookService
from settings.webhooks import WebhookSettings
from store.webhooks import WebhookStore
from tests.fakes import settle
from tests.store.conftest import make_job
from tests.store.ready import open_database
from utils.secrets import SecretBox
from utils.urls import UrlPolicy

THEIRS = Webhook(url="https://app.example/hook", events=frozenset({"queued"}))


class CountingStore(WebhookStore):
    looks = 0

    async def due(self, *args, **more):
        self.looks += 1
        return await super().due(*args, **more)


@pytest.fixture
async def database(tmp_path):
    database = await open_database(tmp_path / "easel.sqlite3")
    yield database
    await database.close()


@pytest.mark.parametrize("knows", ["nothing", "a job", "the table", "the settings"])
async def test_the_outbox_is_looked_into_only_for_hooks(database, clock, knows):
    box = SecretBox(Fernet.generate_key())
    store = CountingStore(database, box)
    if knows == "the table":
        await database.write("INSERT INTO webhooks VALUES ('h', 'old', '', 'queued', 0)")
    settings = WebhookSettings(url="http://192.168.1.9/hook" if knows == "the settings" else "", secret="")
    service = WebhookService(store, clock, job_of=None, policy=UrlPolicy(), settings=settings)
    await service.start()
    running = asyncio.create_task(service.run())
    try:
        await idle(database)
        before = store.looks
        service.note(make_job("job1", created_at=clock.now(), origin={"webhook": THEIRS if knows == "a job" else None}))
        await idle(database)
        assert store.looks == before + (knows != "nothing")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def idle(database) -> None:
    for _ in range(6):
        await database.fetch("SELECT 1")
        await settle()
