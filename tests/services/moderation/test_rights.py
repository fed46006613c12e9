"""Moderators and admins may; what the audit holds is kept for its time; homes are the servers that are named."""

from datetime import timedelta

import pytest

from generation.errors import NotAllowed, RequestRejected
from generation.job import Origin
from generation.person import Person
from services.moderation.audit import PAGE_ENTRIES, AuditAction, AuditService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from store.audit import AuditStore
from tests.fakes import FakeClock
from tests.store.ready import open_database

CHIEF = Person(user_key="discord:1", guild_id="3", is_manager=True)
HELPER = Person(user_key="discord:2", guild_id="3", roles=("9",))
MEMBER = Person(user_key="discord:4", guild_id="3", roles=("8",), is_moderator=True)
OWNER = Person(user_key="discord:7", guild_id="3")


async def nine(guild_id):
    return ("9",) if guild_id == "3" else ()


@pytest.fixture
def rights():
    made = Rights(["7"])
    made.moderator_roles = nine
    return made


async def test_moderators_manage_the_server_or_have_its_role_or_own_easel(rights):
    for person in (CHIEF, HELPER, OWNER):
        assert await rights.check_moderator(person) == "3"
    with pytest.raises(NotAllowed, match="Only moderators"):
        await rights.check_moderator(MEMBER)
    with pytest.raises(RequestRejected, match="no server here"):
        await rights.check_moderator(Person(user_key="discord:7"))


def test_admins_are_those_of_the_settings(rights):
    rights.check_admin(OWNER)
    for person in (CHIEF, HELPER, MEMBER):
        with pytest.raises(NotAllowed, match="Only admins"):
            rights.check_admin(person)


def test_where_there_is_no_server_those_at_home_rule():
    direct, there = Origin(door="discord", user_id="5"), Origin(door="discord", user_id="5", guild_id="3")
    homes = Homes()
    homes.joined(["1", "2"])
    assert (homes.of(there), homes.of(direct)) == (("3",), ())
    homes.joined(["1"])
    assert homes.of(direct) == ("1",)
    assert Homes(["4", "5"]).of(direct) == ("4", "5")


async def test_the_audit_has_pages_and_an_end(tmp_path, rights):
    clock = FakeClock()
    database = await open_database(tmp_path / "easel.sqlite3")
    audit = AuditService(AuditStore(database), rights, clock, ttl_s=86400.0)
    await audit.record(audit.entry(CHIEF, AuditAction.BAN, target="discord:5", reason="first"))
    await clock.advance(2 * 3600.0)
    for number in range(PAGE_ENTRIES):
        await audit.record(audit.entry(HELPER, AuditAction.WARN, target="discord:6", reason=f"{number}"))
    page, has_more = await audit.page(CHIEF)
    assert ([entry.reason for entry in page], has_more) == ([f"{n}" for n in reversed(range(PAGE_ENTRIES))], True)
    older, has_more = await audit.page(HELPER, before=page[-1].seq)
    assert ([entry.reason for entry in older], has_more) == (["first"], False)
    assert [entry.reason for entry in (await audit.page(CHIEF, about="discord:5"))[0]] == ["first"]
    assert len((await audit.page(CHIEF, about="discord:2", action="warn"))[0]) == PAGE_ENTRIES
    assert await audit.prune() == 0
    await clock.advance(timedelta(days=1).total_seconds() - 3600.0)
    assert await audit.prune() == 1
    await database.close()


async def test_the_audit_of_a_server_is_for_nobody_elsewhere(tmp_path, rights):
    database = await open_database(tmp_path / "easel.sqlite3")
    audit = AuditService(AuditStore(database), rights, FakeClock(), ttl_s=86400.0)
    await audit.record(audit.entry(CHIEF, AuditAction.BAN, target="discord:5"))
    await audit.record(audit.entry(Person(user_key="discord:7"), AuditAction.PAUSE, subject="gpu"))
    assert (await audit.page(Person(user_key="discord:1", guild_id="4", is_manager=True)))[0] == []
    assert [entry.subject for entry in (await audit.page(Person(user_key="discord:7")))[0]] == ["gpu"]
    with pytest.raises(NotAllowed, match="direct message for admins"):
        await audit.page(Person(user_key="discord:1"))
    await database.close()
