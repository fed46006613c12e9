"""Several prompts in one go."""

SMALL = {"width": 64, "height": 64, "steps": 2}


async def test_each_prompt_becomes_a_job_with_what_is_common_and_its_own_options(client):
    body = {"prompts": ["a fox --seed 5", "a bird"], "common": SMALL | {"seed": 9}, "delay_ms": 0}
    answer = await client.post("/api/batches", json=body)
    assert answer.status_code == 202
    jobs = answer.json()["jobs"]
    assert [(job["prompt"], job["request"]["seed"]) for job in jobs] == [("a fox", 5), ("a bird", 9)]
    assert {job["request"]["width"] for job in jobs} == {64}


async def test_the_same_key_makes_no_second_batch(client):
    body = {"prompts": ["a fox", "a bird"], "common": SMALL, "delay_ms": 0}
    first, again = [
        (await client.post("/api/batches", json=body, headers={"Idempotency-Key": "one"})).json() for _ in range(2)
    ]
    assert [job["id"] for job in first["jobs"]] == [job["id"] for job in again["jobs"]]


async def test_a_prompt_that_is_wrong_is_named(client):
    answer = await client.post("/api/batches", json={"prompts": ["a fox", " "], "common": SMALL})
    assert (answer.status_code, answer.json()["field"]) == (400, "prompts.2")
