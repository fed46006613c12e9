"""Jobs by HTTP: asked for, looked at, moved, cancelled, deleted."""


async def test_a_picture_is_asked_for_and_fetched(site, client):
    job = await site.draw(prompt="a red fox", seed=7)
    image = job["images"][0]
    assert (job["status"], job["is_mine"], image["seed"]) == ("done", True, 7)
    picture = await client.get(image["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert len(picture.content) == image["size_bytes"]
    small = await client.get(image["thumbnail_url"])
    assert small.headers["content-type"] == "image/jpeg"


async def test_a_deleted_jobs_pictures_are_told_as_gone(site, client):
    job = await site.draw()
    assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    (listed,) = (await client.get("/api/jobs")).json()["jobs"]
    assert listed["images"][0]["is_gone"]


async def test_what_can_be_asked_for_can_be_estimated(client):
    answer = await client.post("/api/estimate", json={"text": "a fox", "is_private": True, "reply_to": None})
    assert (answer.status_code, answer.json()["price"]) == (200, "free")
