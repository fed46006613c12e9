"""The gallery by HTTP: found again, kept, sorted, packed; nobody sees or changes what is not theirs."""

import io
import zipfile
from datetime import timedelta

import pytest
from PIL import Image

from api.routes import gallery as routes


async def pictures(client, **query):
    answer = await client.get("/api/gallery", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_picture_says_how_it_was_made(site, client):
    job = await site.draw(prompt="a red fox", negative_prompt="blur", seed=7)
    (picture,) = (await pictures(client))["pictures"]
    assert picture["id"] == job["images"][0]["id"]
    assert (picture["job_id"], picture["seed"], picture["is_mine"], picture["is_gone"]) == (job["id"], 7, True, False)
    assert picture["parameters"].startswith("a red fox\nNegative prompt: blur\nSteps: 4")
    read = (await client.post("/api/parse", json={"text": picture["command"]})).json()["draft"]
    assert (read["prompt"], read["negative_prompt"], read["seed"], read["width"]) == ("a red fox", "blur", 7, 64)
    assert (await client.get(f"/api/gallery/{picture['id']}")).json() == picture


async def test_pages_follow_each_other_both_ways(site, client):
    for number in range(3):
        await site.draw(prompt=f"fox {number}", seed=number + 1)
    first = await pictures(client, limit=2)
    rest = await pictures(client, limit=2, cursor=first["next"])
    assert [item["prompt"] for item in first["pictures"] + rest["pictures"]] == ["fox 2", "fox 1", "fox 0"]
    assert (first["total"], rest["total"], rest["next"]) == (3, 3, None)
    assert [item["prompt"] for item in (await pictures(client, sort="old"))["pictures"]] == ["fox 0", "fox 1", "fox 2"]


async def test_filters_narrow_and_facets_count(site, client):
    await site.draw(prompt="a red fox")
    await site.draw(prompt="a blue bird", seed=6)
    assert [item["prompt"] for item in (await pictures(client, q="BLUE"))["pictures"]] == ["a blue bird"]
    assert (await pictures(client, mode="inpaint"))["total"] == 0
    assert (await pictures(client, until="2020-01-01T00:00:00Z"))["total"] == 0
    engine = (await client.get("/api/facets")).json()["engines"]
    assert [item["count"] for item in engine] == [2]
    assert (await pictures(client, engine=engine[0]["name"]))["total"] == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [({"limit": 0}, 422), ({"sort": "sideways"}, 422), ({"cursor": "x"}, 400), ({"collection": "beef"}, 404)],
)
async def test_a_query_that_cannot_be_is_refused(client, query, status):
    answer = await client.get("/api/gallery", params=query)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_a_favourite_is_marked_kept_and_let_go(site, client):
    job = await site.draw()
    image = job["images"][0]["id"]
    assert (await client.put(f"/api/favorites/{image}")).status_code == 204
    (picture,) = (await pictures(client, favorites=1))["pictures"]
    assert (picture["is_favorite"], picture["expires_at"]) == (True, None)
    assert (await client.get(f"/api/jobs/{job['id']}")).json()["images"][0]["is_favorite"]
    assert (await client.get("/api/jobs")).json()["jobs"][0]["images"][0]["is_favorite"]
    assert (await client.get("/api/feed")).json()["jobs"][0]["images"][0]["is_favorite"]
    assert (await client.delete(f"/api/favorites/{image}")).status_code == 204
    assert (await pictures(client, favorites=1))["total"] == 0


async def test_a_collection_lives(site, client):
    image = (await site.draw())["images"][0]["id"]
    made = await client.post("/api/collections", json={"name": "Foxes"})
    assert (made.status_code, made.json()["cover"]) == (201, None)
    album = made.json()["id"]
    assert (await client.put(f"/api/collections/{album}/pictures/{image}")).status_code == 204
    changed = (await client.patch(f"/api/collections/{album}", json={"name": "Red foxes"})).json()
    assert (changed["name"], changed["count"], changed["cover"]["id"]) == ("Red foxes", 1, image)
    (picture,) = (await pictures(client, collection=album))["pictures"]
    assert picture["collections"] == [album]
    assert (await client.delete(f"/api/collections/{album}/pictures/{image}")).status_code == 204
    assert (await pictures(client, collection=album))["total"] == 0
    assert (await client.delete(f"/api/collections/{album}")).status_code == 204
    assert (await client.get("/api/collections")).json() == {"collections": []}
    assert (await client.get(f"/api/gallery/{image}")).status_code == 200


async def test_a_name_that_is_taken_or_empty_is_refused(client):
    assert (await client.post("/api/collections", json={"name": "A"})).status_code == 201
    for name in ("A", " "):
        answer = await client.post("/api/collections", json={"name": name})
        assert (answer.status_code, answer.json()["field"]) == (400, "name")


async def test_others_collections_and_private_pictures_are_not_there(site, client):
    mia = await site.session_client("discord:7")
    image = (await site.draw(is_private=True))["images"][0]["id"]
    album = (await client.post("/api/collections", json={"name": "Mine"})).json()["id"]
    assert (await mia.get("/api/collections")).json() == {"collections": []}
    for method, path in [
        ("GET", f"/api/gallery/{image}"),
        ("DELETE", f"/api/gallery/{image}"),
        ("PUT", f"/api/favorites/{image}"),
        ("DELETE", f"/api/favorites/{image}"),
        ("PATCH", f"/api/collections/{album}"),
        ("DELETE", f"/api/collections/{album}"),
        ("PUT", f"/api/collections/{album}/pictures/{image}"),
        ("DELETE", f"/api/collections/{album}/pictures/{image}"),
    ]:
        answer = await mia.request(method, path, json={"name": "x"} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, path)
    assert (await mia.post("/api/archive", json={"ids": [image]})).status_code == 404
    assert (await pictures(mia, scope="all"))["total"] == 0


async def test_only_its_owner_deletes_a_picture(site, client):
    image = (await site.draw())["images"][0]
    mia = await site.session_client("discord:7")
    assert (await pictures(mia, scope="all"))["total"] == 1
    assert (await mia.delete(f"/api/gallery/{image['id']}")).status_code == 403
    assert (await client.delete(f"/api/gallery/{image['id']}")).status_code == 204
    assert (await client.get(image["url"])).status_code == 404
    assert (await pictures(client))["total"] == 0


async def test_an_expired_picture_is_a_row_without_a_file(site, client):
    image = (await site.draw())["images"][0]
    await expire(site, image["id"])
    (picture,) = (await pictures(client))["pictures"]
    assert picture["is_gone"]
    assert (await client.get(image["url"])).status_code == 410
    assert (await client.put(f"/api/favorites/{image['id']}")).status_code == 410
    assert (await client.post("/api/archive", json={"ids": [image["id"]]})).status_code == 410
    assert (await client.get("/api/media/never-was-here")).status_code == 404


async def test_an_archive_holds_named_files_with_their_parameters(site, client):
    jobs = [await site.draw(prompt="A red/fox", seed=5), await site.draw(prompt="A red/fox", seed=5, fresh=True)]
    gone = (await site.draw(prompt="gone", seed=9))["images"][0]["id"]
    await expire(site, gone)
    ids = [job["images"][0]["id"] for job in jobs]
    answer = await client.post("/api/archive", json={"ids": [*ids, gone], "format": "webp"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        item, two, missing = packed.namelist()
        assert item.startswith("a-red-fox-5-")
        assert two == item.replace(".webp", "-2.webp")
        assert missing == "missing.txt"
        with Image.open(io.BytesIO(packed.read(item))) as picture:
            assert (picture.format, picture.size) == ("WEBP", (64, 64))
        assert b"Steps: 4" in packed.read(item).replace(b"\0", b"")


async def test_an_archive_is_bounded(site, client, monkeypatch):
    image = (await site.draw())["images"][0]["id"]
    assert (await client.post("/api/archive", json={"ids": []})).status_code == 422
    assert (await client.post("/api/archive", json={"ids": [image] * 201})).status_code == 422
    monkeypatch.setattr(routes, "MOST_ARCHIVE_BYTES", 10)
    answer = await client.post("/api/archive", json={"ids": [image]})
    assert (answer.status_code, answer.json()["field"]) == (400, "ids")


async def expire(site, media_id):
    """Let a picture's time be over, in both files."""
    long_ago = site.web.services.clock.now() - timedelta(days=2)
    await site.easel.services.records.gallery._store.set_expiry(media_id, long_ago)
    await site.easel.services.media.forget([media_id])
