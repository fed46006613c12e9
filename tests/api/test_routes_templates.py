"""Saved prompts and styles by HTTP."""

import pytest

from generation.person import Person
from services.library.templates import TemplateText


async def test_a_prompt_is_saved_used_and_deleted(client):
    text = "a fox --steps 30"
    made = await client.post("/api/templates", json={"name": "Fox", "text": text})
    assert made.status_code == 201
    path = f"/api/templates/{made.json()['id']}"
    assert (await client.post(f"{path}/use")).json() == {"text": text}
    (listed,) = (await client.get("/api/templates")).json()["templates"]
    assert (listed["uses"], listed["is_mine"], listed["text"]) == (1, True, text)
    assert (await client.delete(path)).status_code == 204
    assert (await client.post(f"{path}/use")).status_code == 404


async def test_a_negative_prompt_kept_apart_is_in_the_text(site, client):
    text = TemplateText(name="Fox", prompt="a fox", negative_prompt="blur, noise")
    await site.web.services.records.templates.create(Person(user_key="api:local"), text)
    (listed,) = (await client.get("/api/templates")).json()["templates"]
    read = (await client.post("/api/parse", json={"text": listed["text"]})).json()["draft"]
    assert read == {"prompt": "a fox", "negative_prompt": "blur, noise"}


async def test_others_templates_are_theirs_unless_shared(site, client):
    mia = await site.session_client("discord:7")
    own = (await client.post("/api/templates", json={"name": "A", "text": "a"})).json()["id"]
    shared = (await client.post("/api/templates", json={"name": "B", "text": "b", "is_shared": True})).json()["id"]
    assert [item["id"] for item in (await mia.get("/api/templates")).json()["templates"]] == [shared]
    assert (await mia.post(f"/api/templates/{own}/use")).status_code == 404
    assert (await mia.delete(f"/api/templates/{own}")).status_code == 404
    assert (await mia.delete(f"/api/templates/{shared}")).status_code == 403


@pytest.mark.parametrize("body", [{"name": "", "text": "a"}, {"name": "A", "text": " "}])
async def test_a_template_needs_a_name_and_a_text(client, body):
    assert (await client.post("/api/templates", json=body)).status_code == 400


async def test_each_built_in_style_has_its_picture(client):
    styles = (await client.get("/api/styles")).json()["styles"]
    assert len(styles) > 10
    for style in styles:
        answer = await client.get(style["thumbnail_url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp"), style["id"]


async def test_an_own_style_is_saved_used_and_deleted(site, client):
    lino = {"id": "lino", "name": "Lino print", "value": "linocut print"}
    made = await client.post("/api/styles", json=lino)
    assert (made.status_code, made.json()["is_custom"], made.json()["thumbnail_url"]) == (201, True, None)
    assert "lino" in [item["id"] for item in (await client.get("/api/styles")).json()["styles"]]
    assert (await client.delete("/api/styles/lino")).status_code == 204
    assert (await client.delete("/api/styles/lino")).status_code == 404


async def test_a_style_that_cannot_be_is_refused(client):
    answer = await client.post("/api/styles", json={"id": "A b", "name": "x", "value": "y"})
    assert (answer.status_code, answer.json()["field"]) == (400, "id")


async def test_only_admins_change_styles(site):
    mia = await site.session_client("discord:7")
    assert (await mia.post("/api/styles", json={"id": "a", "name": "a", "value": "a"})).status_code == 403
    assert (await mia.delete("/api/styles/anime")).status_code == 403
