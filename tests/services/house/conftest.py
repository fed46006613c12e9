"""A gate over a real file of the store, with one server at home."""

import pytest

from generation.job import Origin
from generation.person import Person
from services.house.gate import Gate
from services.house.rules import HouseRuleService
from services.moderation.audit import AuditService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from store.audit import AuditStore
from store.house import HouseStore
from tests.fakes import FakeClock
from tests.store.ready import open_database

CHIEF = Person(user_key="discord:1", name="chief", guild_id="3", is_manager=True)
MEMBER = Person(user_key="discord:4", name="ann", guild_id="3", is_moderator=True)


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def audit(database):
    return AuditService(AuditStore(database), Rights(["7"]), FakeClock(), ttl_s=1000.0)


@pytest.fixture
def rules(database, audit):
    return HouseRuleService(HouseStore(database), audit=audit, rights=Rights(["7"]), clock=FakeClock())


@pytest.fixture
def gate(rules):
    return Gate(rules, Homes(["3"]))


@pytest.fixture
def asked():
    def make(**changes):
        values = {"door": "discord", "user_id": "4", "guild_id": "3", "channel_id": "50", "places": ("50",)}
        return Origin(**values | changes)

    return make
