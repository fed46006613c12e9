"""Puts together the queue and the services that every door receives."""

from app.base import Base
from app.comparing import end_votes_on_removed, make_comparing
from app.models import make_own_models
from app.money import make_money
from backends.base import PictureCheck
from queue_manager import QueueManager
from scheduling.checking import SafetyScreen
from scheduling.house_screen import HouseScreen
from scheduling.local_executor import LocalExecutor
from services.bundle import Services
from services.drawing.compare import CompareService
from services.drawing.generation import GenerationService
from services.drawing.intakes import IntakeService, make_intakes
from services.drawing.local_model import LocalModels
from services.drawing.looks import LookService
from services.drawing.questions import QuestionService
from services.drawing.styles import StyleService
from services.drawing.timelines import TimelineService
from services.drawing.versus import VersusService
from services.drawing.wildcards import WildcardService
from services.drawing.workflows import WorkflowService
from services.engines.catalog import Catalog
from services.engines.connections import ConnectionService
from services.engines.describing import DescribingService
from services.house.bundle import House
from services.house.gate import Gate
from services.house.rules import HouseRuleService
from services.moderation.bundle import Moderation, make_moderation
from services.moderation.removal import PictureRemoval
from services.money.bundle import Money
from services.people.access import LOCAL_USER
from services.people.preferences import PreferenceService
from services.records import Records, make_records
from services.reloading import ReloadService
from services.rentals.machines import MachineService, make_providers
from services.upkeep import Upkeep, make_upkeep
from services.wording.alt_texts import AltTextSink
from services.wording.asking import TextService
from services.wording.bundle import WordServices, make_wording
from settings.filter import FilterSettings
from store.connections import ConnectionStore
from store.house import HouseStore
from store.looks import LookStore
from store.preferences import PreferenceStore
from store.questions import QuestionStore
from store.text_uses import TextUseStore
from store.workflows import WorkflowStore


def make_services(base: Base) -> tuple[QueueManager, Services]:
    """Wire them; nothing runs yet."""
    registry, media, clock = base.registry, base.media, base.clock
    workflows = WorkflowService(registry, WorkflowStore(base.database), clock)
    styles, catalog = StyleService(base.settings.storage.data_dir), _catalog(base)
    looks = LookService(store=LookStore(base.database), catalog=catalog, media=media, clock=clock)
    wildcards, preferences = WildcardService(base.settings.storage.wildcards_folder), PreferenceStore(base.database)
    queue, sink = _queue(base, workflows, screen := _screen(base))
    moderation = _moderation(base, queue)
    house = HouseRuleService(HouseStore(base.database), audit=moderation.audit, rights=moderation.rights, clock=clock)
    gate = sink.gate = _gate(base, house, moderation, screen)
    money = make_money(base, moderation, house)
    wording = _wording(base, sink.text, gate, money)
    generation = GenerationService(
        queue=queue,
        jobs=base.jobs,
        registry=registry,
        media=media,
        preferences=preferences,
        clock=clock,
        workflows=workflows,
        styles=styles,
        looks=looks,
        gate=gate,
        preferred=base.settings.engines.default,
        caps=moderation.caps,
        budgets=money.budgets,
        translation=wording.translation,
        fuller=wording.fuller,
    )
    compare, versus = make_comparing(base, generation, catalog)
    records = _records(base, queue, generation, connections := _connections(base), styles)
    end_votes_on_removed(generation, removal := _removal(base, queue, records), versus)
    _join(moderation, money, generation, house, records, removal, gate)
    return queue, Services(
        generation=generation,
        compare=compare,
        versus=versus,
        media=media,
        catalog=catalog,
        local_models=LocalModels(catalog),
        models=make_own_models(base, moderation),
        connections=connections,
        intakes=_intakes(base, generation, compare, versus, wildcards),
        upkeep=_upkeep(base, queue, connections),
        records=records,
        workflows=workflows,
        wildcards=wildcards,
        looks=looks,
        timelines=TimelineService(generation=generation, jobs=base.jobs, registry=registry),
        questions=QuestionService(store=QuestionStore(base.database), generation=generation, clock=clock),
        preferences=PreferenceService(preferences),
        moderation=moderation,
        money=money,
        house=House(rules=house, gate=gate),
        wording=wording,
        clock=clock,
        reloading=ReloadService(moderation.rights, moderation.audit),
        loops=base.loops,
    )


def _intakes(
    base: Base,
    generation: GenerationService,
    compare: CompareService,
    versus: VersusService,
    wildcards: WildcardService,
) -> IntakeService:
    return make_intakes(
        base.database,
        base.box,
        base.registry,
        generation,
        compare,
        versus,
        base.media,
        base.clock,
        wildcards,
        base.settings.safety.links,
    )


def _wording(base: Base, text: TextService, gate: Gate, money: Money) -> WordServices:
    text.till = money.answers
    describing = DescribingService(base.registry, gate)
    return make_wording(text, gate=gate, describing=describing, settings=base.settings.text)


def _text(base: Base) -> TextService:
    uses = TextUseStore(base.database)
    return TextService(base.text_engine, settings=base.settings.text, uses=uses, clock=base.clock)


def _catalog(base: Base) -> Catalog:
    engines = base.settings.engines
    off = {engine.kind: engine.name for engine in engines.off}
    return Catalog(base.registry, off=off, preferred=engines.default)


def _join(
    moderation: Moderation,
    money: Money,
    generation: GenerationService,
    house: HouseRuleService,
    records: Records,
    removal: PictureRemoval,
    gate: Gate,
) -> None:
    """Let services that are made one after the other hear of each other."""
    money.budgets.on_refused.append(records.alerts.budget_refused)
    gate.on_refusal.append(records.alerts.house_refused)
    money.tags.estimate = generation.estimate
    generation.on_moderated = moderation.audit.note
    moderation.reports.channel_of, moderation.reports.remove_picture = house.reports_channel, removal.remove


def _removal(base: Base, queue: QueueManager, records: Records) -> PictureRemoval:
    return PictureRemoval(queue=queue, jobs=base.jobs, media=base.media, gallery=records.gallery)


def _screen(base: Base) -> HouseScreen:
    settings = base.settings.filter
    return HouseScreen(base.check, threshold=settings.threshold, always=always_checked(settings, base.check))


def always_checked(settings: FilterSettings, check: PictureCheck | None) -> SafetyScreen | None:
    """Return the filter of this Easel, None where it is off."""
    return SafetyScreen(check=check, threshold=settings.threshold) if check and settings.is_on else None


def _queue(base: Base, workflows: WorkflowService, screen: HouseScreen) -> tuple[QueueManager, AltTextSink]:
    executor = LocalExecutor(
        base.registry.borrow,
        load=base.media.load,
        load_workflow=workflows.load,
        timeout_s=base.settings.queue.job_timeout_s,
        clock=base.clock,
    )
    sink = AltTextSink(base.media, _text(base), is_on=base.settings.text.alt_texts)
    queue = QueueManager(
        jobs=base.jobs,
        registry=base.registry,
        executor=executor,
        sink=sink,
        clock=base.clock,
        limits=base.settings.queue,
        policy=base.instead.policy,
        loops=base.loops,
        screen=screen,
    )
    return queue, sink


def _moderation(base: Base, queue: QueueManager) -> Moderation:
    settings = base.settings
    home_ids = settings.people.guild_ids or map(str, settings.discord.guild_ids)
    return make_moderation(
        base.database,
        base.registry,
        base.jobs,
        queue,
        base.clock,
        people=settings.people,
        home_ids=home_ids,
        storage=settings.storage,
    )


def _gate(base: Base, rules: HouseRuleService, moderation: Moderation, screen: HouseScreen) -> Gate:
    """List the checks of a request: here a new one is added."""
    moderation.rights.moderator_roles = rules.moderator_roles
    gate = Gate(rules, moderation.homes)
    gate.before.insert(0, moderation.check)
    gate.max_prompt_chars = base.settings.queue.max_prompt_chars
    gate.has_picture_check, screen.rules = screen.can_check, gate
    return gate


def _connections(base: Base) -> ConnectionService:
    examine = base.instead.examine
    return ConnectionService(
        base.registry,
        ConnectionStore(base.database, base.box),
        clock=base.clock,
        safety=base.settings.safety,
        timeout_s=base.settings.queue.job_timeout_s,
        trusted=frozenset({LOCAL_USER, *base.settings.people.admin_ids}),
        **({"examine": examine} if examine else {}),
    )


def _upkeep(base: Base, queue: QueueManager, connections: ConnectionService) -> Upkeep:
    settings, instead = base.settings, base.instead
    providers = make_providers(settings.rentals) if instead.providers is None else instead.providers
    return make_upkeep(
        base.database,
        base.registry,
        queue,
        connections,
        base.clock,
        machines=MachineService(providers, settings.people, base.clock),
        rentals=settings.rentals,
    )


def _records(
    base: Base,
    queue: QueueManager,
    generation: GenerationService,
    connections: ConnectionService,
    styles: StyleService,
) -> Records:
    return make_records(
        base.database,
        base.jobs,
        base.registry,
        queue,
        generation,
        base.media,
        connections,
        base.clock,
        styles=styles,
        limits=base.settings.alerts,
        budget_usd=base.settings.money.everybody_usd,
        storage=base.settings.storage,
    )
