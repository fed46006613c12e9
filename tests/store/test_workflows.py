"""Names of workflows, and the versions behind them."""

import pytest

from store.workflows import WorkflowStore, WorkflowVersion
from tests.fakes import FakeClock

NOW = FakeClock().now()
FIRST = WorkflowVersion(kind="comfyui", graph='{"3": 1}', mapping="{}", lines=("prompt: node 6, text",))
SECOND = WorkflowVersion(kind="comfyui", graph='{"3": 2}', mapping="{}", lines=())


@pytest.fixture
def workflows(database):
    return WorkflowStore(database)


async def test_workflow_comes_back_as_it_was_saved(workflows):
    await workflows.save("user", "1", "Portrait", FIRST, NOW)
    (stored,) = await workflows.of("user", "1")
    assert (stored.name, stored.kind, stored.lines, stored.created_at) == ("Portrait", "comfyui", FIRST.lines, NOW)
    assert await workflows.version(stored.version) == FIRST


async def test_owners_do_not_see_each_others(workflows):
    await workflows.save("user", "1", "portrait", FIRST, NOW)
    assert await workflows.of("user", "2") == []
    assert await workflows.of("guild", "1") == []


async def test_name_in_another_case_is_the_same_and_keeps_its_first_day(workflows):
    await workflows.save("user", "1", "portrait", FIRST, NOW)
    await workflows.save("user", "1", "PORTRAIT", SECOND, NOW.replace(year=2027))
    (stored,) = await workflows.of("user", "1")
    assert (stored.name, stored.version) == ("PORTRAIT", SECOND.id)
    assert (stored.created_at.year, stored.updated_at.year) == (2026, 2027)


async def test_version_that_was_drawn_with_outlives_its_name(workflows):
    await workflows.save("user", "1", "portrait", FIRST, NOW)
    assert await workflows.use(FIRST.id, NOW)
    await workflows.save("user", "1", "portrait", SECOND, NOW)
    assert await workflows.delete("user", "1", "Portrait")
    assert await workflows.version(FIRST.id) == FIRST
    assert await workflows.version(SECOND.id) is None
    assert not await workflows.use(SECOND.id, NOW)


async def test_version_of_two_names_stays_with_the_second(workflows):
    await workflows.save("user", "1", "portrait", FIRST, NOW)
    await workflows.save("guild", "1", "portrait", FIRST, NOW)
    await workflows.delete("user", "1", "portrait")
    assert await workflows.version(FIRST.id) == FIRST


async def test_deleting_nothing_says_so(workflows):
    assert not await workflows.delete("user", "1", "portrait")


def test_id_is_that_of_the_content_alone():
    same = WorkflowVersion(kind="comfyui", graph=FIRST.graph, mapping=FIRST.mapping, lines=("other words",))
    assert same.id == FIRST.id
    assert len({FIRST.id, SECOND.id, WorkflowVersion(kind="x", graph=FIRST.graph, mapping="{}", lines=()).id}) == 3
