"""One place decides for every door, with the rule, the value and what would be right."""

import pytest

from generation.errors import HouseRefusal, NotAllowed, RequestRejected
from generation.house import UNSET, Cover, Flagged, HouseRule, HouseRules, SexualContent, rules_from_json, rules_to_json
from generation.job import Origin
from generation.person import Person
from generation.request import Draft, Lora
from services.house.gate import Gate
from services.house.rules import HouseRuleService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from store.house import HouseStore
from tests.fakes import FakeClock
from tests.jobs import make_request
from tests.services.house.conftest import CHIEF, MEMBER

NUDE = make_request(prompt="nude woman, explicit")


async def refusal(gate, request, origin):
    try:
        await gate.let_in(Draft(prompt=request.prompt), origin)
        await gate.judge(request, origin)
    except HouseRefusal as error:
        return error
    raise AssertionError("it was let in")


async def test_sexual_words_are_drawn_in_age_restricted_channels_alone_where_nothing_is_set(gate, asked):
    error = await refusal(gate, NUDE, asked())
    assert (error.rule, error.code) == (HouseRule.SEXUAL, "house_rule")
    assert "“nude”" in error.user_message
    assert "age-restricted channel" in error.hint
    await gate.judge(NUDE, asked(is_age_restricted=True))
    await gate.judge(make_request(prompt="a grape from Scunthorpe"), asked())


async def test_a_server_may_allow_them_everywhere_or_nowhere(gate, rules, asked):
    await rules.change(CHIEF, sexual_content=SexualContent.ANYWHERE)
    await gate.judge(NUDE, asked())
    await rules.change(CHIEF, sexual_content=SexualContent.NOWHERE)
    assert (await refusal(gate, NUDE, asked(is_age_restricted=True))).rule == HouseRule.SEXUAL


@pytest.mark.parametrize(
    "request_",
    [
        make_request(prompt="a woman", negative_prompt="clothes"),
        make_request(prompt="a woman ### clothing"),
        make_request(prompt="a woman", negative_prompt="(nude:-1.4)"),
        make_request(prompt="a woman", negative_prompt="nude", cfg_scale=0.5),
        make_request(prompt="a woman", loras=(Lora(name="nude_style_v2"),)),
        make_request(prompt="a woman", styles=("NSFW",)),
        make_request(prompt="a woman", options=(("text", "naked"),)),
    ],
)
async def test_all_words_that_reach_an_engine_are_judged(gate, asked, request_):
    assert (await refusal(gate, request_, asked())).rule == HouseRule.SEXUAL


async def test_sexual_pictures_of_minors_are_refused_at_every_door_whatever_the_rules(gate, rules, asked):
    await rules.change(CHIEF, sexual_content=SexualContent.ANYWHERE)
    request = make_request(prompt="nude little girl")
    for origin in (
        asked(is_age_restricted=True),
        Origin(door="console", user_id="me"),
        Origin(door="api", user_id="k"),
    ):
        assert (await refusal(gate, request, origin)).rule == HouseRule.MINORS


async def test_words_and_patterns_of_a_server_hold_in_all_its_channels(gate, rules, asked):
    await rules.change(CHIEF, words=("drag*", "our mayor"), patterns=(r"\bguns?\b",))
    error = await refusal(gate, make_request(prompt="a dragon"), asked(is_age_restricted=True))
    assert error.rule == HouseRule.WORDS
    assert "“drag*”" in error.user_message
    assert (await refusal(gate, make_request(prompt="two guns"), asked())).rule == HouseRule.PATTERNS
    await gate.judge(make_request(prompt="a fox", negative_prompt="dragon"), asked())
    await gate.judge(make_request(prompt="a dragon"), asked(guild_id="8"))


async def test_a_channel_that_is_not_listed_refuses_with_those_that_are_and_threads_count_as_theirs(gate, rules, asked):
    await rules.change(CHIEF, channels=("51", "52"), labels=(("51", "art"), ("52", "more-art")))
    error = await refusal(gate, make_request(), asked())
    assert error.rule == HouseRule.CHANNELS
    assert "#art, #more-art" in error.hint
    await gate.let_in(Draft(), asked(channel_id="60", places=("60", "51")))


async def test_a_person_without_a_listed_role_is_refused_with_the_roles(gate, rules, asked):
    await rules.change(CHIEF, roles=("9",), labels=(("9", "artists"),))
    error = await refusal(gate, make_request(), asked(roles=("8",)))
    assert error.rule == HouseRule.ROLES
    assert "@artists" in error.user_message
    await gate.let_in(Draft(), asked(roles=("8", "9")))
    elsewhere = await refusal(gate, make_request(), asked(guild_id=None, channel_id="70", places=("70",)))
    assert "your roles are not known here" in elsewhere.user_message


async def test_members_have_the_rules_of_the_server_at_home_in_direct_messages_and_the_studio(gate, rules, asked):
    await rules.change(CHIEF, words=("dragon",))
    direct = asked(guild_id=None, channel_id="70", places=("70",))
    studio = Origin(door="api", user_id="4", account="discord:4")
    for origin in (direct, studio):
        assert (await refusal(gate, make_request(prompt="a dragon"), origin)).rule == HouseRule.WORDS
        assert (await refusal(gate, NUDE, origin)).rule == HouseRule.SEXUAL
    await rules.change(CHIEF, holds_elsewhere=False)
    for origin in (direct, studio):
        await gate.judge(make_request(prompt="a dragon"), origin)
        await gate.judge(NUDE, origin)


async def test_the_owners_own_keys_and_command_line_have_no_server(gate, rules):
    await rules.change(CHIEF, words=("dragon",), roles=("9",))
    for origin in (Origin(door="api", user_id="key"), Origin(door="console", user_id="me", account="api:local")):
        await gate.let_in(Draft(), origin)
        await gate.judge(make_request(prompt="a nude dragon"), origin)


async def test_previews_are_shown_where_no_finished_picture_is_checked(gate, rules, asked):
    direct, owner = asked(guild_id=None), Origin(door="api", user_id="key")
    assert gate.may_preview(owner), "whatever servers have"
    assert not gate.may_preview(asked()), "the rules were not read yet"
    for origin in (asked(), direct):
        await gate.rules_for(origin)
        assert gate.may_preview(origin)
    await rules.change(CHIEF, flagged=Flagged.HIDDEN)
    assert [gate.may_preview(origin) for origin in (asked(), direct, owner)] == [False, False, True]
    assert gate.may_preview(asked(is_age_restricted=True))
    await rules.change(CHIEF, holds_elsewhere=False)
    assert [gate.may_preview(origin) for origin in (asked(), direct)] == [False, True]


async def test_the_strictest_fate_of_a_finished_picture_holds_outside_age_restricted_channels(gate, rules, asked):
    assert await gate.fate(asked()) is Flagged.UNCHECKED
    await rules.change(CHIEF, flagged=Flagged.BLURRED, cover=Cover.AGE_RESTRICTED)
    assert await gate.fate(asked()) is Flagged.BLURRED
    assert await gate.fate(asked(is_age_restricted=True)) is Flagged.UNCHECKED
    assert [await gate.covers(asked(is_age_restricted=each)) for each in (True, False)] == [True, False]


async def test_without_a_server_at_home_the_defaults_hold_in_direct_messages(rules, asked):
    direct = asked(guild_id=None, channel_id="70", places=("70",))
    assert (await refusal(Gate(rules, Homes()), NUDE, direct)).rule == HouseRule.SEXUAL


async def test_a_further_check_is_an_entry_of_a_list(gate, asked):
    async def check(draft, origin):
        raise NotAllowed("Not you.")

    gate.before.append(check)
    with pytest.raises(NotAllowed, match="Not you"):
        await gate.let_in(Draft(prompt="a fox"), asked())


async def test_only_who_manages_the_server_changes_its_rules_and_the_audit_says_what(rules, audit):
    for person in (MEMBER, Person(user_key="discord:4", guild_id="3", roles=("9",))):
        with pytest.raises(NotAllowed, match="Only people with Manage Server"):
            await rules.change(person, words=("x",))
    with pytest.raises(RequestRejected, match="no server here"):
        await rules.change(Person(user_key="discord:1"), words=("x",))
    await rules.change(Person(user_key="discord:7", guild_id="3"), words=("dragon",))
    entries, __ = await audit.page(CHIEF)
    assert [(entry.action, entry.details) for entry in entries] == [("setup", "words: dragon")]


async def test_a_pattern_that_is_none_changes_nothing(rules):
    with pytest.raises(RequestRejected, match="is not a valid pattern"):
        await rules.change(CHIEF, patterns=("(",), words=("dragon",))
    assert await rules.load("3") == UNSET


async def test_rules_outlive_a_restart(database, rules, audit):
    await rules.change(CHIEF, words=("dragon",), channels=("51",), labels=(("51", "art"), ("9", "gone")))
    again = HouseRuleService(HouseStore(database), audit=audit, rights=Rights(), clock=FakeClock())
    loaded = await again.load("3")
    assert loaded == HouseRules(words=("dragon",), channels=("51",), labels=(("51", "art"),))
    assert await again.is_set("3")
    assert not await again.is_set("4")


def test_rules_of_a_newer_version_are_read_as_far_as_they_are_known():
    assert rules_from_json({"sexual_content": "rainbow", "words": ["x"], "new": 1}) == HouseRules(words=("x",))
    assert rules_to_json(UNSET) == {}


def test_rules_are_cleaned_and_bounded():
    rules = HouseRules(
        words=("  a  b ", "", "a b", "x" * 500), channels=("12", "no", "12"), negative_prompt=" blurry, "
    )
    assert rules.words == ("a b", "x" * 60)
    assert rules.channels == ("12",)
    assert rules.negative_prompt == "blurry"


async def test_an_owner_may_have_shorter_prompts(gate, asked):
    await gate.let_in(Draft(prompt="x" * 4000), asked())
    gate.max_prompt_chars = 60
    await gate.let_in(Draft(prompt="x" * 60), asked())
    with pytest.raises(RequestRejected, match="The prompt has 61 characters; at most 60 are allowed") as refused:
        await gate.let_in(Draft(prompt="x" * 61), asked())
    assert refused.value.field == "prompt"
