"""Seeds through every door of the API: 64 bits to the last digit, and -1 is left to chance."""

import json

import pytest

from constants import MAX_SEED
from tests.api.conftest import SMALL

LARGE = 2**53 + 1  # the first that a JavaScript number does not hold
DOORS = {
    "/api/jobs": {"prompt": "a fox"} | SMALL,
    "/generate/text2img": {"prompt": "a fox"} | SMALL,
    "/api/images/generate": {"prompt": "a fox", "size": "64x64", "steps": 4},
    "/v1/images/generations": {"prompt": "a fox", "size": "64x64", "steps": 4},
    "/v1/generate-image": {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": 4},
}


async def drawn_seed(site, path, seed):
    answer = await site.client.post(path, json=DOORS[path] | {"seed": seed})
    assert answer.status_code in (200, 202), answer.text
    newest = (await site.client.get("/api/jobs")).json()["jobs"][0]
    return newest["request"]["seed"]


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("seed", [-1, "-1"])
async def test_minus_one_is_left_to_chance(site, path, seed):
    first = await drawn_seed(site, path, seed)
    assert 0 <= first < 2**31
    assert await drawn_seed(site, path, seed) != first


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("seed", [LARGE, MAX_SEED, str(LARGE), str(MAX_SEED)])
async def test_a_seed_of_64_bits_is_kept_to_its_last_digit(site, path, seed):
    assert await drawn_seed(site, path, seed) == int(seed)


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("seed", [-2, MAX_SEED + 1, "soon", 1.5, 1e300, 10**400])
async def test_any_other_seed_is_refused_with_the_range(site, path, seed):
    body = json.dumps(DOORS[path] | {"seed": seed})
    answer = await site.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)  # refused by its range or by its kind
    assert "seed" in answer.text.casefold()


async def test_a_large_seed_is_the_same_in_every_list(site):
    job = await site.draw(seed=MAX_SEED)
    assert job["images"][0]["seed"] == MAX_SEED
    for path in ("/api/gallery", f"/api/jobs/{job['id']}", "/api/jobs"):
        assert str(MAX_SEED) in (await site.client.get(path)).text
    again = await site.client.post(f"/api/jobs/{job['id']}/again", json={"changes": {"seed": str(LARGE)}})
    assert again.status_code == 202, again.text
    assert again.json()["jobs"][0]["request"]["seed"] == LARGE


async def test_after_the_last_seed_comes_the_first(site):
    found = await site.client.post(
        "/api/images/generate", json=DOORS["/api/images/generate"] | {"seed": MAX_SEED, "count": 6}
    )
    assert found.status_code == 200, found.text
    assert sorted(image["seed"] for image in found.json()["images"]) == [0, 1, 2, 3, 4, MAX_SEED]
