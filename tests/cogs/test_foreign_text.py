"""Whatever people and engines call things, no message of ours gets a link, a mention, code or a heading out of it.

Every function of the cogs that writes a message is tried; a new one without an entry in `BUILDERS` fails.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cogs
from backends.diagnose import Diagnosis, DiagnosisStep
from backends.registry import Owner
from cogs import (
    answers,
    collecting,
    cost,
    error_handler,
    explaining,
    exports,
    gallery,
    preferences,
    queue_status,
    styles,
    why,
)
from cogs import plain as plain_text
from cogs.cards import Card, Menu, to_view
from cogs.chat import card as chat
from cogs.comparisons import card as compare_card
from cogs.comparisons import versus_card
from cogs.engines import models
from cogs.engines import text as engines_text
from cogs.enhancing import card as enhancing
from cogs.house import limits
from cogs.house import text as house_text
from cogs.jobs import card as render
from cogs.jobs import forms, small_print
from cogs.jobs import info as job_info
from cogs.jobs.alt import alt_of
from cogs.moderation import own_models, report_text
from cogs.moderation import text as moderation_text
from cogs.pictures import forms as picture_forms
from cogs.replies import text as replies_text
from cogs.workflows import cog as workflows
from generation.capabilities import Capabilities, ModelInfo
from generation.caps import allowance_of
from generation.errors import BackendError, HouseRefusal, RequestRejected
from generation.house import HouseRules
from generation.job import Away, JobError, JobStatus, JobView, Progress
from generation.request import Draft, GenerationRequest, Lora, Mode, WorkflowRef
from generation.result import JobResult
from generation.wishes.wish import Operation, Wish
from services.drawing.compare import Contender
from services.drawing.timelines import Timeline
from services.drawing.versus import Ballot
from services.engines.catalog import Engine
from services.engines.own_models import Fetch, OwnShelf
from services.library.export import Export
from services.moderation.caps import Quota
from services.moderation.reports import AppealState, ReportState
from services.rentals.rentals import Notice
from services.wording.asking import TextState
from services.wording.chat import ChatPrompt
from services.wording.mixing import MixedStyle
from tests.cogs.moderation_samples import audited, ban, cap, reported
from tests.cogs.money_samples import bill, books
from tests.cogs.samples import JOB, NOW, PERSON, RUNNING, context, look, result, style
from tests.cogs.setting_samples import estimates, preferred
from tests.cogs.stored_samples import collection, comparison, hung, stored
from tests.cogs.wordings import described, enhanced
from texts.text import _
from utils.images import ImageInfo
from utils.infotext import Infotext

OWNER = Owner(kind="user", id="42")
MARK = "zqx"  # stands in every piece of foreign text
PIECES = [
    "`zqx`", "```zqx```", "[zqx](https://evil.example)", "https://zqx.example/a_b_c", "<@42>zqx", "@everyone zqx",
    "<#1>zqx", "<t:1:R>zqx", "<:zqx:1>", "**zqx**", "__zqx__", "||zqx||", "~~zqx~~", "*zqx*", "_zqx_", "# zqx",
    "-# zqx", "> zqx", "- zqx", "1. zqx", "zqx\n# zqx", "zqx\n```\nzqx", "\u202ezqx", "zq\u200bx", "zqx\\", "\\`zqx`",
    "zqx](https://evil.example)", "[zqx", "discord.gg/zqx", "zqx` and `zqx", "<https://zqx.example>",
    "z\u0300\u0301zqx", "\x1b[31mzqx", "\ud800zqx", "@here", "</zqx:1>", "<id:customize>zqx",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map(" ".join)


def request(text: str) -> GenerationRequest:
    return GenerationRequest(
        prompt=text, negative_prompt=text, width=512, height=512, steps=20, cfg_scale=7.0, seed=1, model=text,
        sampler=text, scheduler=text, loras=(Lora(name=text),), workflow=WorkflowRef(name=text),
    )  # fmt: skip


def views(text: str) -> list[JobView]:
    origin = replace(JOB.origin, asked=("sampler", "loras", "negative_prompt"), styles=(text,))
    job = replace(JOB, request=request(text), drawn=request(text), notes=(text,), origin=origin)
    kept: JobResult = result(2, model=text, backend=text, notes=(text,))
    error = JobError(code="backend_error", user_message=text, hint=f"Try `/generate` again: {text}")
    away = Away(reason=text, since=NOW, patience_s=60.0)
    return [
        JobView(job=job, position=2, eta_s=9.0),
        JobView(job=job, position=2, away=away),
        JobView(job=replace(RUNNING, request=request(text), drawn=request(text)), progress=Progress(note=text)),
        JobView(job=replace(job, status=JobStatus.DONE, result=kept)),
        JobView(job=replace(job, status=JobStatus.FAILED, error=error, tried=(text,))),
        JobView(job=replace(job, status=JobStatus.CANCELLED)),
    ]


def engine(text: str, error: str | None = None) -> Engine:
    names = (text, f"{text} 2")
    can = Capabilities(
        modes=frozenset(Mode), models=tuple(ModelInfo(name=name, title=name) for name in names), loras=names,
        samplers=names,
    )  # fmt: skip
    return Engine(
        name="gpu", label=text, kind="a1111", owner_kind="easel", is_fallback=False, capabilities=can, error=error,
        hint=error or "",
    )  # fmt: skip


def diagnosis(text: str) -> Diagnosis:
    steps = (DiagnosisStep(layer="connect", is_ok=False, message=text),)
    return Diagnosis(steps=steps, is_ok=False, message=text, hint=text, owner_hint=text)


def notices(text: str) -> list[str]:
    kinds = ("down", "asleep", "stopped", "idle")
    return [
        engines_text.notice(Notice(kind=kind, owner=OWNER, bill=bill(text), lines=("Start it.",), message=text))
        for kind in kinds
    ]


def compared(text: str) -> Card:
    _, _, _, done, failed, _ = views(text)
    return compare_card.card(comparison(text), {"1": done, "2": failed}, "42", NOW)


def voted(text: str) -> list[Card]:
    given = views(text)
    ballot = Ballot(id="b", job_a="1", job_b="2", hours=1, created_at=NOW, opened_at=NOW, closes_at=NOW)
    return [versus_card.card("b", [view, given[3]], ballot, NOW) for view in given]


def house_rules(text: str) -> HouseRules:
    named = (("1", text), ("2", text))
    return HouseRules(
        channels=("1",), roles=("2",), words=(text,), patterns=(text,), negative_prompt=text, labels=named
    )


def house_refusal(text: str) -> HouseRefusal:
    return HouseRefusal(_("“{word}” is not drawn here.", word=text), hint=_("Ask in {word}.", word=text))


def info(text: str) -> Card:
    reply = Infotext(prompt=text, negative_prompt=text, parameters={"Seed": text, text: text, "Model": text})
    return picture_forms.info_card(reply, ImageInfo(media_type="image/png", width=8, height=8), private=False)


def model_pages(text: str) -> list[Card]:
    up, down = engine(text), replace(engine(text, text), name="other", capabilities=None)
    return [models._page(each, [up, down], place) for each in (up, down) for place in ("0", "loras.0")]


def timelines(text: str) -> list[str]:
    return [
        why.timeline_text(
            Timeline(
                view=replace(view, job=replace(view.job, notes=(text,), is_pinned=True)),
                engine=text,
                tried=(text,),
                spare=(text,),
                passed_over=((text, text),),
            ),
            job_info.Keeping(until=NOW),
            NOW,
        )
        for view in views(text)
    ]


Written = str | Card | list[Any]


BUILDERS: dict[Callable[..., Any], Callable[[str], Written]] = {
    render.prices_line: lambda text: render.prices_line({"again": 0.04, "vary": 0.01}),
    render.card: lambda text: [
        render.card(view, context(text), NOW) for view in views(text)
    ],
    small_print.small_print: lambda text: small_print.small_print(views(text)[3].job),
    job_info.info_card: lambda text: job_info.info_card(views(text)[3].job, job_info.Keeping(may_keep=True, until=NOW)),
    styles.look_card: lambda text: styles.look_card(look(text), b"x"),
    chat.prompt_card: lambda text: chat.prompt_card(ChatPrompt(prompt=text, model=text)),
    styles.mixed_card: lambda text: styles.mixed_card(look(text), MixedStyle(words=text, source=text)),
    styles.list_card: lambda text: styles.list_card([look(text)], [style(text)], [text], PERSON),
    styles.preset_card: lambda text: styles.preset_card(style(text)),
    cost.books_text: lambda text: cost.books_text(books(text)),
    cost.limits_text: lambda text: cost.limits_text(HouseRules(budget_usd=0.5)),
    answers.remedy_label: lambda text: answers.remedy_label(Draft(steps=20)),
    compare_card.card: compared,
    compare_card.state_line: lambda text: [
        compare_card.state_line(Contender(lane="g", label=text), view, "1", NOW) for view in views(text)
    ],
    versus_card.card: voted,
    collecting.collected_text: lambda text: collecting.collected_text(collection(text)),
    engines_text.engine: lambda text: [engines_text.engine(engine(text, why), None, NOW) for why in (text, None)],
    engines_text.reasons: lambda text: engines_text.reasons(diagnosis(text)),
    engines_text.bill: lambda text: engines_text.bill(bill(text)),
    engines_text.started: lambda text: engines_text.started(bill(text), OWNER),
    engines_text.before_stop: lambda text: engines_text.before_stop(bill(text), "`/gpu stop`"),
    engines_text.stopped: lambda text: engines_text.stopped(bill(text), OWNER),
    engines_text.notice: notices,
    error_handler.error_text: lambda text: [
        error_handler.error_text(BackendError(f"{text} is away. Use `/sdtest`.", hint=text)),
        error_handler.error_text(RequestRejected(text, hint=f"`--steps 20` {text}")),
    ],
    workflows.workflow_text: lambda text: [
        workflows.workflow_text(stored(text, kind), text) for kind in ("user", "easel")
    ],
    workflows.changed_text: lambda text: workflows.changed_text(stored(text)),
    workflows.deleted_text: lambda text: workflows.deleted_text(stored(text)),
    workflows.list_text: lambda text: workflows.list_text([stored(text), stored(text, "guild")]),
    gallery.page_text: lambda text: gallery.page_text([hung(text)], 1, set()),
    preferences.settings_text: lambda text: preferences.settings_text(preferred(text)),
    explaining.explained_text: lambda text: [explaining.explained_text(preferred(text), e) for e in estimates(text)],
    moderation_text.banned: lambda text: moderation_text.banned(ban(text), 1),
    moderation_text.caps: lambda text: moderation_text.caps([cap(text)], "1"),
    own_models.shelf: lambda text: own_models.shelf(OwnShelf(offers=(), others=(text,), can_draw=False, hint="No.")),
    own_models.progress: lambda text: own_models.progress(Fetch(name=text, total=2, done=1, began=0.0, at_begin=0)),
    limits.page: lambda text: limits.page([cap(text)], "1"),
    moderation_text.quota: lambda text: moderation_text.quota(
        Quota(allowance=allowance_of("1", [cap(text)], ["2"], ["2"]), used=1, waiting=0, resets_at=NOW)
    ),
    moderation_text.alert: lambda text: moderation_text.alert({"message": f"{text} is slow."}),
    report_text.report_card: lambda text: [report_text.report_card(reported(text, state)) for state in AppealState],
    report_text.decided_card: lambda text: [
        report_text.decided_card(reported(text, AppealState.NONE, state).report, text, text) for state in ReportState
    ],
    report_text.outcome_text: lambda text: report_text.outcome_text(ReportState.REMOVED, text),
    report_text.appeal_text: lambda text: [report_text.appeal_text(state, text) for state in AppealState],
    moderation_text.bans: lambda text: moderation_text.bans([ban(text)]),
    moderation_text.audit: audited,
    moderation_text.notice: lambda text: [
        moderation_text.notice("banned", text, {"reason": text, "ends_at": ends_at}) for ends_at in (None, 1.0)
    ],
    house_text.rules_text: lambda text: house_text.rules_text(house_rules(text), here=""),
    house_text.here_text: lambda text: house_text.here_text(is_age_restricted=True, refusal=house_refusal(text)),
    house_text.trial_text: lambda text: house_text.trial_text(text, house_refusal(text), None),
    picture_forms.info_card: info,
    exports.export_text: lambda text: exports.export_text(
        text, Export(files=(b"",), packed=2, expired=1, too_large=1, left=1)
    ),
    replies_text.cannot_card: lambda text: replies_text.cannot_card(
        Wish(operation=Operation.ZOOM, words=text), "0123456789ab", "0-1", frozenset(Mode)
    ),
    replies_text.meant_card: lambda text: replies_text.meant_card(
        text, Operation.EDIT, "0123456789ab", "0-1", "0123456789cd", frozenset(Mode)
    ),
    picture_forms.described_card: lambda text: picture_forms.described_card(described(text), None, private=False),
    models._page: model_pages,
    render.head: lambda text: [render.head(view.job) for view in views(text)],
    render.waiting_line: lambda text: [render.waiting_line(view, context(text), NOW) for view in views(text)],
    render.progress_line: lambda text: [render.progress_line(view, context(text), NOW) for view in views(text)],
    why.timeline_text: timelines,
    enhancing.enhanced_card: lambda text: [enhancing.enhanced_card(text, text, each) for each in enhanced(text)],
    engines_text.text_engine: lambda text: [engines_text.text_engine(TextState(model=text, error=text))],
    queue_status._own_line: lambda text: [queue_status._own_line(view) for view in views(text)],
    forms.menu: lambda text: forms.menu("model", "j", [text, f"{text} 2"], text, 0),
}  # fmt: skip
NOT_MESSAGES = {
    "cogs.inputs": {"preview_in"},
    "cogs.shelves": {"read_day"},
    "cogs.moderation.own_models": {"terms"},  # of models that Easel knows
    "cogs.chat.card": {"consent_card"},  # our own words alone
    "cogs.enhancing.card": {"with_options_of"},  # a prompt again
    "cogs.jobs.info": {"seeds_of"},
    "cogs.replies.text": {"read_as", "which_card"},  # no text of others in them
    "cogs.jobs.card": {"bar", "timestamp", "date_and_time", "place", "came_back"},
    "cogs.jobs.alt": {"alt_of"},
    "cogs.jobs.deleting": {"question_card"},  # our own words alone
    "cogs.jobs.lineage": {"lineage"},  # stands in the first line of a card
    "cogs.jobs.small_print": {"kind_of", "details", "styles"},  # parts of it
    "cogs.comparisons.card": {"alt_text"},
    "cogs.comparisons.versus_card": {"alt_text", "counted"},
    "cogs.engines.text": {"status"},  # puts lines of `engine` together
    "cogs.moderation.text": {"person", "moment", "limit"},
    "cogs.beginnings.remix": {"remix_card"},  # our own words alone
    "cogs.cards": {"make_id", "ids_of"},
    "cogs.wire.layout": {"bounded"},  # cuts what is written already
    "cogs.wire.reading": {"text_in"},
    "cogs.moderation.report_text": {"link_to"},
    "cogs.moderation.buttons": {"make_moderation_id"},
    "cogs.jobs.forms": {"choice_value"},
    "cogs.help": {"help_pages", "first_page", "tips_page", "slash_hint", "typed"},  # our own words alone
    "cogs.plain": {"escape", "sentence", "code", "block", "label", "address"},
    "cogs.pictures.forms": {"words_in", "upscale_options", "style_options"},
    "cogs.questions": {"question_card"},  # our own words alone
    "cogs.attachments": {"address_of"},
    "cogs.jobs.attached": {"hidden"},
}
TOKEN = re.compile(
    r"```|`|\*\*|~~|\|\||__|\]\(|https?://|discord\.gg|<[@#:/t]|@everyone|@here|(?m:^(?:#{1,3} |-# |> |- |\d+\. ))|\n"
)


def contents(written: Written) -> list[str]:
    if isinstance(written, list):
        return [text for each in written for text in contents(each)]
    return [written.content if isinstance(written, Card) else written]


def skeleton(content: str) -> list[str]:
    """Return what Discord makes something of, in its order; not what is escaped, nor what is inside code."""
    outside = re.sub(r"```\n.*?\n```", "```block```", content, flags=re.DOTALL)
    outside = re.sub(r"(`)[^`\n]+(`)|\\[!-/:-@\[-`{-~]", lambda each: "``" if each[1] else "x", outside)
    return TOKEN.findall(outside)


def is_visible(text: str) -> bool:
    text.encode()
    added = text.replace("@\u200b", "@").replace(":\u200b//", "://").replace(".\u200b", ".")
    return all(unicodedata.category(each) not in ("Cc", "Cf", "Cs") or each == "\n" for each in added)


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda each: f"{each.__module__}.{each.__name__}")
@given(text=HOSTILE)
def test_foreign_text_means_nothing_in_a_message(builder: Callable[..., Any], text: str) -> None:
    plain = contents(BUILDERS[builder](MARK))
    for content, calm in zip(contents(BUILDERS[builder](text)), plain, strict=True):
        assert is_visible(content)
        if len(content) < 1800 and "see the file" not in content:  # what was cut or became a file is another message
            assert skeleton(content) == skeleton(calm), content


@given(text=HOSTILE)
async def test_controls_show_plain_words(text: str) -> None:
    cards = [forms.menu("model", "j", [text, "b"], text, 0), *model_pages(text)]
    for card in cards:
        view = to_view(card.rows)
        assert view is not None
        for item in view.children:
            shown = [getattr(item, "label", None), getattr(item, "placeholder", None)]
            shown += [part for each in getattr(item, "options", ()) for part in (each.label, each.description)]
            assert all(is_visible(each) and "\n" not in each and len(each) <= 100 for each in shown if each)
    assert any(isinstance(row, Menu) for card in cards for row in card.rows)


@given(text=HOSTILE)
def test_alt_texts_are_plain_words(text: str) -> None:
    _, _, _, done, failed, _ = views(text)
    assert done.job.result is not None
    assert is_visible(alt_of(done.job, done.job.result.images[0]))
    assert is_visible(compare_card.alt_text(comparison(text), {"1": done, "2": failed}))
    assert is_visible(versus_card.alt_text([done, failed]))


@pytest.mark.parametrize(
    "own",
    [
        "Use `/generate` with `private`.", "Write `--steps 20` or `!dream a fox`.", 
        "`/gpu stop` again with `sure:True`",
        "Name it with `workflow:`, or say `size:1024x1024`.", "Run `make run ART=1`; write `vs` between them.",
        "Set PUBLIC_URL, or `ALLOW_INSECURE_HTTP=true`.", "`/sdconnect a1111 https://your-server:7860`",
    ],
)  # fmt: skip
def test_code_of_our_own_stays_code(own: str) -> None:
    kept = re.findall(r"(?<!\\)`([^`]+)`", plain_text.sentence(own))
    assert kept == re.findall(r"`([^`]+)`", own)


def test_every_function_that_writes_a_message_is_tried() -> None:
    known = {(each.__module__, each.__name__) for each in BUILDERS}
    known |= {(module, name) for module, names in NOT_MESSAGES.items() for name in names}
    found = set()
    for about in pkgutil.walk_packages(cogs.__path__, "cogs."):
        module = importlib.import_module(about.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            answer = function.__annotations__.get("return")
            kinds = (str, Card, list[str], list[Card])
            writes = answer in (*kinds, "str", "Card", "list[str]", "list[Card]")
            if function.__module__ == about.name and writes and not name.startswith("_"):
                found.add((about.name, name))
    assert found <= known, f"new, without an entry: {found - known}"
