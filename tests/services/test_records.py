"""From a request to the gallery and back: what the queue ends is shown, counted and logged, what is deleted is not."""

import logging

import pytest

from generation.errors import BackendAuthError
from generation.job import JobStatus, Origin
from generation.person import Person
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.drawing.styles import StyleService
from services.engines.connections import ConnectionService
from services.pictures.media import MediaService
from services.records import make_records
from settings.alerts import AlertSettings
from settings.storage import StorageSettings
from store.connections import ConnectionStore
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig
from utils.loops import Loops
from utils.secrets import SecretBox

ANN = Person(user_key="test:ann")
ORIGIN = Origin(door="test", user_id="ann")


@pytest.fixture
async def house(cache, tmp_path):
    async with queue_rig(FakeBackend("gpu"), cooldown_s=0) as rig:
        media = MediaService(cache, rig.clock, 3600.0)
        generation = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=media,
            preferences=PreferenceStore(rig.database),
            clock=rig.clock,
        )
        connections = ConnectionService(
            rig.registry, ConnectionStore(rig.database, SecretBox.open(tmp_path / "secret.key")), clock=rig.clock
        )
        records = make_records(
            rig.database,
            rig.jobs,
            rig.registry,
            rig.queue,
            generation,
            media,
            connections,
            rig.clock,
            styles=StyleService(tmp_path),
            limits=AlertSettings(),
            storage=StorageSettings(),
        )
        loops = Loops(rig.clock)
        records.start(loops)
        yield rig, generation, records
        await loops.close()


async def test_what_was_drawn_is_in_the_gallery_the_figures_and_the_log(house, caplog):
    rig, generation, records = house
    caplog.set_level(logging.INFO)
    view = await generation.submit(Draft(prompt="a fox", batch_size=2), ORIGIN)
    await rig.settle()
    page = await records.gallery.history(ANN)
    assert [picture.job_id for picture in page.pictures] == [view.job.id] * 2
    assert page.pictures[0].prompt == "a fox"
    assert (await records.statistics.dashboard(ANN)).totals.images == 2
    (line,) = [record for record in caplog.records if record.message == "Image generated successfully"]
    assert (line.userId, line.provider, line.prompt) == ("test:ann", "gpu", "a fox")


async def test_deleting_a_job_takes_its_pictures_out_of_the_gallery(house):
    rig, generation, records = house
    view = await generation.submit(Draft(prompt="a fox"), ORIGIN)
    await rig.settle()
    await generation.delete(view.job.id, Person(user_key="test:ann"))
    assert (await records.gallery.history(ANN)).pictures == ()
    assert (await records.statistics.dashboard(ANN)).totals.images == 1, "what was drawn stays counted"


async def test_a_key_that_an_engine_refuses_reaches_the_owner(house):
    rig, generation, records = house
    reported = []

    async def listen(alert):
        reported.append(alert.kind)

    records.alerts.on_alert.append(listen)
    rig.backends["gpu"].fail.append(BackendAuthError())
    view = await generation.submit(Draft(prompt="a fox"), ORIGIN)
    await rig.settle()
    assert (await rig.row(view.job)).status is JobStatus.FAILED
    assert reported == ["key_refused"]
