"""Engines as the API shows them: what is known of them and how busy they are, put together."""

from api.context import Web
from api.events import lane_state
from api.schemas.engines import SUPPORTS, CapabilitiesOut, EngineOut, ModelOut, SupportsOut
from generation.capabilities import Capabilities
from generation.person import Person
from services.drawing.generation import Estimate, LaneView
from services.engines.catalog import Engine
from services.engines.connections import Owner
from texts.text import _

PAID = _("paid, as the engine charges")


async def engines_out(web: Web, caller: Person) -> list[EngineOut]:
    """Write all engines that a caller may use, the fallback too."""
    lanes = {lane.name: lane for lane in web.services.generation.lanes()}
    found = web.services.catalog.engines(caller, with_fallback=True)
    return [_engine(engine, lanes[engine.name], await _price(web, caller, engine)) for engine in found]


def _engine(engine: Engine, lane: LaneView, price: str) -> EngineOut:
    capabilities = engine.capabilities
    is_broken = lane.is_broken and not engine.error
    return EngineOut(
        name=engine.name,
        label=engine.label,
        kind=engine.kind,
        kind_title=engine.kind_title,
        grade=engine.grade,
        owner=engine.owner_kind,  # type: ignore[arg-type]  # one of the three
        is_fallback=engine.is_fallback,
        fills=sorted(engine.fills),
        is_mine=engine.owner_kind == "user",  # others' are not in the list
        state=_state(engine, lane),  # type: ignore[arg-type]
        error=_("It failed several times in a row.") if is_broken else engine.error,
        hint=_("It is tried again in {retry_s:.0f} s.", retry_s=lane.retry_s) if is_broken else engine.hint,
        waiting=lane.waiting,
        running=lane.running,
        wait_s=round(lane.wait_s, 1),
        seconds_per_job=_seconds(lane, capabilities),
        price=price,
        remark=capabilities.remark if capabilities else "",
        capabilities=_capabilities(capabilities) if capabilities else None,
    )


def _state(engine: Engine, lane: LaneView) -> str:
    if engine.error:
        return "down"
    return lane_state(lane) if engine.capabilities or lane.running or lane.is_broken else "unknown"


def _seconds(lane: LaneView, capabilities: Capabilities | None) -> float | None:
    """Return how long a picture of the engine's usual size and steps takes, as its own jobs have shown."""
    if lane.seconds_per_cost is None or capabilities is None:
        return None
    megapixels = capabilities.default_width * capabilities.default_height / 1e6
    return round(lane.seconds_per_cost * megapixels * capabilities.default_steps, 2)


async def _price(web: Web, caller: Person, engine: Engine) -> str:
    if engine.owner_kind == "user":
        price = await web.services.upkeep.rentals.price_of(Owner(kind="user", id=caller.user_id))
        if price is not None:
            return _("${price:g} an hour", price=price)
    return PAID if engine.is_paid else ""


async def price_of(web: Web, found: Estimate) -> tuple[str, float | None]:
    """Return what a request costs, in words and in US dollars (None: nobody can say before)."""
    rent = await web.services.upkeep.rentals.price_of(found.owner) if found.owner.id else None
    if rent is not None:
        if found.seconds is None:
            return _("${rent:g} an hour", rent=rent), None
        cost = rent * found.seconds / 3600
        return _("about ${cost:.2g} of ${rent:g} an hour", cost=cost, rent=rent), cost
    if found.cost_usd is None:
        return PAID, None
    return (f"${found.cost_usd:.4g}" if found.is_paid else "free"), found.cost_usd


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _capabilities(can: Capabilities) -> CapabilitiesOut:
    models = None
    if can.models is not None:
        models = [
            ModelOut(name=model.name, title=model.title, is_loaded=model.is_loaded, licence=model.licence)
            for model in can.models
        ]
    return CapabilitiesOut(
        modes=sorted(can.modes),
        models=models,
        samplers=_listed(can.samplers),
        schedulers=_listed(can.schedulers),
        loras=_listed(can.loras),
        upscalers=_listed(can.upscalers),
        hires_upscalers=_listed(can.hires_upscalers),
        controls=list(can.control_kinds),
        control_models=_listed(can.control_models),
        styles=_listed(can.styles),
        vaes=_listed(can.vaes),
        embeddings=_listed(can.embeddings),
        size_grid=can.size_grid,
        min_side=can.min_side,
        max_side=can.max_side,
        max_steps=can.max_steps,
        max_batch=can.max_batch,
        default_width=can.default_width,
        default_height=can.default_height,
        default_steps=can.default_steps,
        default_cfg_scale=can.default_cfg_scale,
        supports=SupportsOut(**{name: getattr(can, own) for name, own in SUPPORTS.items()}),
    )
