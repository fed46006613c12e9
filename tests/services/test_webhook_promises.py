"""The numbers and particulars of docs/webhooks.md."""

import json

import pytest

from net.outbound import POST_TIMEOUT_S
from services.reports.webhooks import BACK_OFF_S, KEEP_S, MAX_WAITING
from tests.docs import of
from tests.services.test_webhooks import OWNERS, STRICT, THEIRS, hook, world

__all__ = ["world"]  # the fixture


@pytest.mark.parametrize(("status", "sends"), [(199, 2), (200, 1), (299, 1), (300, 2), (404, 2)])
async def test_a_receipt_is_a_status_from_200_to_299(world, clock, status, sends):
    world.receiver.answers = [status]
    async with world.running():
        await world.take_in()
        await world.until(1)
        await clock.advance(1.1)
        await world.until(sends)
    assert len(world.receiver.seen) == sends


def test_the_numbers_are_those_of_the_page():
    assert BACK_OFF_S == (1, 5, 30, 120, 600)
    assert (POST_TIMEOUT_S, MAX_WAITING, KEEP_S) == (15, 100_000, 86_400)


async def test_an_address_of_a_picture_is_a_path_without_ours(world):
    async with world.running(public_url=""):
        await world.take_in()
        await world.done()
        await world.until(2)
    assert world.receiver.seen[1][1]["job"]["images"][0]["url"] == "/api/media/pic1"


async def test_without_a_secret_nothing_is_signed(world):
    async with world.running(secret=""):
        await world.take_in()
        await world.until(1)
    assert not {"X-Easel-Signature", "webhook-signature"} & {*world.receiver.seen[0][2]}


async def test_only_the_owners_address_may_be_a_private_one(world):
    async with world.running():
        await world.take_in(hook=hook("queued"))
        await world.until(2)
    policies = {url: policy for url, _, _, policy in world.receiver.seen}
    assert policies[THEIRS] == STRICT
    assert policies[OWNERS].allow_private
    assert policies[OWNERS].allow_insecure_http


async def test_a_body_looks_as_the_page_prints_it(world):
    (block,) = of("docs/webhooks.md", "json")
    async with world.running():
        await world.take_in(hook=hook("finished"))
        await world.done()
        await world.until(3)
    bodies = [body for url, body, *_ in world.receiver.seen if url == THEIRS]
    assert fits(bodies[0], json.loads(block.text))


def fits(value, example):
    """Compare names, their order, and the kinds of values; null fits all."""
    if isinstance(example, dict):
        return [*value] == [*example] and all(fits(value[name], part) for name, part in example.items())
    if isinstance(example, list):
        return len(value) == len(example) and all(map(fits, value, example))
    return None in (value, example) or type(value) is type(example)
