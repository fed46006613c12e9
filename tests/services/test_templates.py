"""Templates are their maker's; shared ones everybody may use, and use is counted."""

import asyncio
from dataclasses import replace

import pytest

from generation.errors import LimitReached, NotAllowed, RequestRejected
from generation.person import Person
from services.library import templates as limits
from services.library.templates import TemplateService, TemplateText
from store.templates import TemplateStore
from tests.store.ready import open_database

ME, YOU, ADMIN = (
    Person(user_key="api:7"),
    Person(user_key="api:8"),
    Person(user_key="api:1", scopes=frozenset({"admin"})),
)
FOX = TemplateText(name=" Fox ", prompt="a red fox, {place}", negative_prompt="blur", description="red")


@pytest.fixture
async def templates(tmp_path, clock):
    database = await open_database(tmp_path / "easel.sqlite3")
    yield TemplateService(store=TemplateStore(database), clock=clock)
    await database.close()


async def test_a_template_comes_back_as_it_was_saved(templates, clock):
    made = await templates.create(ME, FOX)
    assert (made.name, made.prompt, made.negative_prompt, made.description) == ("Fox", FOX.prompt, "blur", "red")
    assert (made.is_shared, made.usage_count, made.created_at, made.last_used_at) == (False, 0, clock.now(), None)
    assert await templates.template(ME, made.id) == made
    assert await templates.templates(ME) == [made]


async def test_only_shared_ones_are_seen_and_used_by_others(templates):
    mine = await templates.create(ME, FOX)
    shared = await templates.create(ME, replace(FOX, name="All", is_shared=True))
    assert [item.id for item in await templates.templates(YOU)] == [shared.id]
    for look in (templates.template(YOU, mine.id), templates.use(ADMIN, mine.id), templates.delete(ADMIN, mine.id)):
        with pytest.raises(RequestRejected, match="There is no template"):
            await look
    with pytest.raises(NotAllowed, match="Only its maker"):
        await templates.change(YOU, shared.id, FOX)
    with pytest.raises(NotAllowed, match="Only its maker"):
        await templates.delete(YOU, shared.id)
    await templates.delete(ADMIN, shared.id)
    assert await templates.templates(YOU) == []


async def test_every_use_is_counted_and_makes_a_template_popular(templates, clock):
    names = ("rare", "often", "mine")
    made = {name: await templates.create(ME, replace(FOX, name=name, is_shared=name != "mine")) for name in names}
    await clock.advance(60)
    await asyncio.gather(*(templates.use(YOU, made["often"].id) for _ in range(5)), templates.use(ME, made["mine"].id))
    popular = await templates.popular()
    assert [(item.name, item.usage_count) for item in popular] == [("often", 5), ("rare", 0)]
    assert popular[0].last_used_at == clock.now()
    assert [item.name for item in await templates.popular(1)] == ["often"]


async def test_a_changed_template_keeps_its_count(templates):
    made = await templates.create(ME, FOX)
    await templates.create(ME, replace(FOX, name="Owl"))
    await templates.use(ME, made.id)
    changed = await templates.change(ME, made.id, TemplateText(name="Red fox", prompt="fox"))
    assert (changed.name, changed.prompt, changed.negative_prompt, changed.usage_count) == ("Red fox", "fox", "", 1)
    with pytest.raises(RequestRejected, match="already"):
        await templates.change(ME, made.id, replace(FOX, name="Owl"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"negative_prompt": "x" * 4001}, "negative_prompt"),
        ({"description": "x" * 501}, "description"),
    ],
)
async def test_what_cannot_be_names_its_field(templates, change, field):
    with pytest.raises(RequestRejected) as refused:
        await templates.create(ME, replace(FOX, **change))
    assert refused.value.field == field


async def test_names_are_taken_once_and_there_is_an_end(templates, monkeypatch):
    await templates.create(ME, FOX)
    await templates.create(YOU, FOX)
    with pytest.raises(RequestRejected, match="already"):
        await templates.create(ME, FOX)
    monkeypatch.setattr(limits, "MAX_TEMPLATES", 1)
    with pytest.raises(LimitReached):
        await templates.create(ME, replace(FOX, name="More"))
    with pytest.raises(RequestRejected, match="1 to 100"):
        await templates.popular(0)
