"""Engines as the image studio's dialect calls them: providers, by name, or by a word for its kind."""

from typing import Final

from api.context import Web
from api.dialects.requests import engines_of
from api.dialects.studio_schemas import PriceOut, ProviderOut
from constants import MAX_BATCH_SIZE
from generation.person import Person
from generation.request import Mode
from services.engines.catalog import Engine
from services.engines.model_names import ModelMissing
from texts.text import _

STYLE_KINDS: Final = frozenset({"ip-adapter", "reference"})


def provider_named(web: Web, caller: Person, wanted: str | None) -> Engine | None:
    """Find the engine that a provider's name means; None where none was named.

    Raises:
        ModelMissing: no such engine is connected; those that are, are named.
    """
    if not wanted:
        return None
    name = wanted.strip()
    if found := web.services.catalog.engine(name, caller):
        return found
    listed = ", ".join(engine.name for engine in engines_of(web, caller)) or _("none")
    connected = _("Connected: {listed}. Leave provider out to take the best of them.", listed=listed)
    if known := web.services.catalog.how_to_get(name):
        title, how = known
        raise ModelMissing(
            _("Provider not available: “{name}” is {title}, which is not set up here.", name=name[:60], title=title),
            field="provider",
            hint=_("{how} {connected}", how=how, connected=connected),
        )
    raise ModelMissing(
        _("Provider not available: there is no engine “{name}” here.", name=name[:60]),
        field="provider",
        hint=connected,
    )


def provider_out(engine: Engine) -> ProviderOut:
    """Write what an engine can do, by the rows of the published capability table."""
    offered = engine.capabilities
    modes = offered.modes if offered else frozenset()
    kinds = {kind.casefold().replace("_", "-") for kind in offered.control_kinds} if offered else set()
    return ProviderOut(
        name=engine.name,
        label=engine.label,
        kind=engine.kind,
        available=engine.error is None and offered is not None,
        error=engine.error or (None if offered else _("It has not answered yet.")),
        capabilities={
            "textToImage": Mode.TXT2IMG in modes,
            "imageToImage": Mode.IMG2IMG in modes,
            "inpainting": Mode.INPAINT in modes,
            "outpainting": Mode.INPAINT in modes,
            "variations": Mode.IMG2IMG in modes,
            "upscaling": Mode.UPSCALE in modes,
            "styleTransfer": bool({Mode.IMG2IMG, Mode.RESTYLE} & modes),
            "styleReference": bool(kinds & STYLE_KINDS),
            "analysis": bool(offered and offered.supports_describe),
        },
        supports={
            "negativePrompt": bool(offered and offered.supports_negative_prompt),
            "steps": bool(offered and offered.supports_steps),
            "cfgScale": bool(offered and offered.supports_cfg_scale),
            "seed": bool(offered and offered.is_deterministic),
        },
        maxImages=min(MAX_BATCH_SIZE, offered.max_batch) if offered else 0,
        models=[model.name for model in offered.models or ()] if offered else [],
        remark=offered.remark if offered else "",
        paid=engine.is_paid,
        prices=[
            PriceOut(
                name=line.name, variant=line.variant, usd=line.usd, unit=line.unit, asOf=line.as_of, source=line.source
            )
            for line in engine.prices
        ],
    )
