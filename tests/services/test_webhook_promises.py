"""What docs/webhooks.md says in numbers and particulars."""

import pytest

from net.outbound import POST_TIMEOUT_S
from services.reports.webhooks import BACK_OFF_S, KEEP_S, MAX_WAITING
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
