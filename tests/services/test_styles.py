"""Presets come from a file of ours and one of the owner's, which may be changed by hand or from the studio."""

import json
import os

import pytest

from generation.errors import NotAllowed, RequestRejected, StoreUnavailable
from generation.person import Person
from services.drawing.styles import FILE_NAME, Style, StyleService

ADMIN, ME = Person(user_key="api:1", scopes=frozenset({"admin"})), Person(user_key="api:7")
MINE = Style(id="mine", name="Mine", description="my own", value="in my style")


@pytest.fixture
def styles(tmp_path):
    return StyleService(tmp_path)


def write(folder, content, *, ns):
    path = folder / FILE_NAME
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, ns=(ns, ns))  # a file system's clock may be too coarse for two writes of a test


async def test_a_dozen_styles_come_along_cyberpunk_among_them(styles):
    built_in = await styles.styles()
    assert len(built_in) >= 12
    assert all(
        style.id and style.name and style.description and style.value and style.is_built_in for style in built_in
    )
    assert (await styles.style("cyberpunk")).name == "Cyberpunk"


async def test_a_style_is_appended_once(styles):
    value = (await styles.style("cyberpunk")).value
    once = await styles.apply("a red fox", ["Cyberpunk", "cyberpunk"])
    assert once == f"a red fox, {value}"
    assert await styles.apply(once, ["cyberpunk"]) == once
    assert await styles.apply("", ["cyberpunk"]) == value
    assert await styles.apply("a fox", []) == "a fox"


async def test_an_unknown_style_names_the_nearest(styles):
    with pytest.raises(RequestRejected) as refused:
        await styles.apply("a fox", ["ciberpunk"])
    assert refused.value.hint == "Did you mean cyberpunk?"
    with pytest.raises(RequestRejected, match="at most 5"):
        await styles.apply("a fox", list("abcdef"))


async def test_a_saved_style_is_there_after_a_restart_and_may_replace_a_built_in_one(styles, tmp_path):
    await styles.save(ADMIN, MINE)
    await styles.save(ADMIN, Style(id="cyberpunk", name="Cyberpunk", value="my neon"))
    again = StyleService(tmp_path)
    assert await again.style("mine") == MINE
    assert (await again.style("cyberpunk")).value == "my neon"
    await again.delete(ADMIN, "cyberpunk")
    assert (await styles.style("cyberpunk")).is_built_in
    with pytest.raises(RequestRejected, match="no style of your own"):
        await styles.delete(ADMIN, "cyberpunk")
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


async def test_what_is_written_by_hand_is_seen_at_the_next_look(styles, tmp_path):
    await styles.styles()
    write(tmp_path, [{"id": "one", "name": "One", "value": "1"}], ns=10**18)
    assert (await styles.style("one")).value == "1"
    write(tmp_path, [{"id": "one", "name": "One", "value": "2"}], ns=2 * 10**18)
    assert (await styles.style("one")).value == "2"
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(RequestRejected):
        await styles.style("one")


@pytest.mark.parametrize(
    ("content", "where"),
    [("[{", "its JSON"), ([{"id": "One two", "name": "x", "value": "y"}], "0.id"), ({}, "its JSON")],
)
async def test_a_broken_file_is_named_and_left_as_it_is(styles, tmp_path, caplog, content, where):
    write(tmp_path, content, ns=10**18)
    before = (tmp_path / FILE_NAME).read_text()
    assert len(await styles.styles()) >= 12
    assert f"look at {where}" in caplog.text
    with pytest.raises(StoreUnavailable, match="left as it is"):
        await styles.save(ADMIN, MINE)
    assert (tmp_path / FILE_NAME).read_text() == before


async def test_only_admins_change_what_everybody_sees(styles):
    for change in (styles.save(ME, MINE), styles.delete(ME, "mine")):
        with pytest.raises(NotAllowed, match="Only admins"):
            await change


@pytest.mark.parametrize(
    ("values", "field"),
    [({"id": "Not an id"}, "id"), ({"name": " "}, "name"), ({"value": ""}, "value"), ({"value": "x" * 1001}, "value")],
)
async def test_what_cannot_be_names_its_field(styles, values, field):
    with pytest.raises(RequestRejected) as refused:
        await styles.save(ADMIN, Style(**({"id": "a", "name": "A", "value": "a"} | values)))
    assert refused.value.field == field


async def test_names_are_told_apart_into_presets_and_what_an_engine_may_have(styles):
    ours, others = await styles.split(["Cyberpunk", "anime", "my engine's own", "CYBERPUNK", "cyberpunk"])
    assert set(ours) == {"cyberpunk", "anime"}
    assert others == ("my engine's own",)


@pytest.mark.parametrize(
    "name", ["digital art", "oil painting", "anime style", "photorealistic", "watercolor", "Watercolour"]
)
async def test_style_words_of_people_are_styles(styles, name):
    ours, others = await styles.split([name])
    assert (len(ours), others) == (1, ())
    assert (await styles.style(name)).id == ours[0]
