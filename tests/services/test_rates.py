"""Rates of keys go through one interface: processes that share a store share the rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.errors import LimitReached
from services.people.access import AccessService
from services.people.rates import MemoryRates
from store.access import AccessStore
from tests.fakes import FakeClock
from tests.store.ready import open_database
from utils.secrets import SecretBox


class SharedRates:
    """Another program's store, as simple as one can be: so many uses in all, told to wait after that."""

    def __init__(self) -> None:
        self.uses: list[tuple[str, float]] = []

    async def take(self, name: str, per_minute: float) -> float:
        self.uses.append((name, per_minute))
        return 0.0 if len(self.uses) <= per_minute else 7.0

    def forget(self, name: str) -> None:
        self.uses = [use for use in self.uses if use[0] != name]


async def test_two_processes_that_share_a_store_share_the_rate_of_a_key(tmp_path: Path) -> None:
    database, shared = await open_database(tmp_path / "easel.sqlite3"), SharedRates()
    box, clock = SecretBox.open(tmp_path / "secret.key"), FakeClock()
    first, other = (AccessService(AccessStore(database), box, clock, rates=shared) for _ in range(2))
    key, token = await first.create_key("shared", ["read"], rate_per_minute=3)
    for access in (first, other, first):
        assert await access.verify_key(token)
    with pytest.raises(LimitReached, match="3 times a minute") as refused:
        await other.verify_key(token)
    assert refused.value.retry_after == 7.0
    await first.revoke_key(key.id)
    assert shared.uses == []
    await database.close()


async def test_in_memory_a_minute_s_worth_may_come_at_once_and_comes_back() -> None:
    clock = FakeClock()
    rates = MemoryRates(clock)
    assert [await rates.take("a", 3) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]
    assert await rates.take("b", 3) == 0.0
    await clock.advance(20)
    assert await rates.take("a", 3) == 0.0
    assert await rates.take("a", 3) == 20.0
    rates.forget("a")
    assert await rates.take("a", 3) == 0.0
