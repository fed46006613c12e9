"""The models of a server, and what they make it able to do."""

from dataclasses import field
from typing import Final

from backends.openai_images.answers import Listed
from backends.openai_images.dialects.dialect import Dialect
from backends.openai_images.dialects.known import CLASSIC, DIALECTS, LOCALAI, RETIRED, SDCPP
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendError
from generation.request import Mode
from lazy import dataclass
from texts.text import _

SDCPP_MODEL: Final = "sd-cpp-local"
MAX_BATCH: Final = 10
MAX_STEPS: Final = 150
PICTURE_LABELS: Final = frozenset({"image", "image-generation", "edit"})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`model` and `edit_model` are for requests that name none; `ends` says when a model is shut down."""

    dialect: Dialect
    models: tuple[str, ...]
    model: str = ""
    edit_model: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    takes: dict[str, frozenset[str]] = field(default_factory=dict)  # parameters of a model, where the server tells
    streaming: frozenset[str] | None = None  # the models that stream, where the server tells

    def model_for(self, named: str | None, mode: Mode) -> str:
        return named or (self.model if mode is Mode.TXT2IMG else self.edit_model)

    def knows(self, model: str, parameter: str) -> bool:
        """Return whether a model takes a parameter, as far as the server tells."""
        return model not in self.takes or parameter in self.takes[model]


def dialect_at(host: str) -> Dialect | None:
    """Return the dialect of a service by its address."""
    return next((dialect for dialect in DIALECTS.values() if host in dialect.hosts), None)


def dialect_of(listed: list[Listed]) -> Dialect:
    """Return the dialect of a server by how it lists its models."""
    owners = {item.owned_by for item in listed}
    if any(item.id == SDCPP_MODEL for item in listed):
        return SDCPP
    for dialect in DIALECTS.values():
        if owners & {*dialect.owners}:
            return dialect
    return LOCALAI if owners <= {None} and listed else CLASSIC


def facts_of(label: str, dialect: Dialect, listed: list[Listed], model: str, edit_model: str) -> Facts:
    """Put together what a list of models says.

    Raises:
        BackendError: a model that is set is not there; those that are, are named.
    """
    drawing = [item for item in listed if _draws(dialect, item)] or listed
    names = tuple(item.id for item in drawing)
    for variable, wanted in (("MODEL", model), ("EDIT_MODEL", edit_model)):
        if wanted and wanted not in {item.id for item in listed}:
            raise _missing(label, variable, wanted, names)
    chosen = model or _first(dialect.preferred, names)
    known = {item.id: item.supported_parameters for item in drawing if item.supported_parameters is not None}
    answering = [item for item in drawing if item.supports_streaming is not None]
    return Facts(
        dialect=dialect,
        models=names,
        model=chosen,
        edit_model=edit_model or _first((*dialect.preferred_edit, chosen), names),
        titles={item.id: item.name for item in drawing if item.name},
        ends={item.id: end for item in drawing if (end := item.shutdown_date or _end(dialect, item.id))},
        takes={name: frozenset(parameters) for name, parameters in known.items()},
        streaming=frozenset(item.id for item in answering if item.supports_streaming) if answering else None,
    )


def to_capabilities(facts: Facts, *, previews: int = 0) -> Capabilities:
    """Return what this server can do."""
    dialect = facts.dialect
    modes = {Mode.TXT2IMG}
    if dialect.edits:
        modes |= {Mode.IMG2IMG} | ({Mode.INPAINT} if dialect.mask else set())
    return Capabilities(
        modes=frozenset(modes),
        models=tuple(
            ModelInfo(name=name, title=_title(facts, name), is_loaded=name == facts.model) for name in facts.models
        ),
        reads_any_language=dialect.is_paid,  # the hosted ones are language models
        size_grid=dialect.size_grid,
        min_side=dialect.min_side,
        max_side=dialect.max_side,
        max_steps=MAX_STEPS,
        max_batch=MAX_BATCH,
        max_images=dialect.max_images,
        supports_steps="steps" in dialect.fields,
        supports_cfg_scale="cfg_scale" in dialect.fields,
        supports_guidance="guidance" in dialect.fields,
        supports_preview=bool(previews) and dialect.streams,
        is_deterministic=dialect.takes_seed and not dialect.is_paid,
        default_width=dialect.default_side,
        default_height=dialect.default_side,
        max_seed=2**31 - 1,
        remark="",
    )


def _draws(dialect: Dialect, item: Listed) -> bool:
    if item.labels is not None:
        return bool(PICTURE_LABELS & {label.casefold() for label in item.labels})
    return bool(dialect.draws.search(item.id))


def _first(preferred: tuple[str, ...], names: tuple[str, ...]) -> str:
    return next((name for name in (*preferred, *names) if name in names), "")


def _end(dialect: Dialect, model: str) -> str:
    return RETIRED.get(model, "") if dialect.is_paid else ""


def _title(facts: Facts, name: str) -> str:
    title = facts.titles.get(name, name)
    end = facts.ends.get(name)
    return _("{title} (until {end})", title=title, end=end) if end else title


def _missing(label: str, variable: str, wanted: str, names: tuple[str, ...]) -> BackendError:
    there = ", ".join(names[:8]) or _("no model")
    end = RETIRED.get(wanted)
    sentence = (
        _("{label} shut the model {wanted} down on {end}.", label=label, wanted=wanted, end=end)
        if end
        else _("{label} has no model {wanted}.", label=label, wanted=wanted)
    )
    return BackendError(
        sentence, hint=_("Set {variable} to one of: {there}; or leave it out.", variable=variable, there=there)
    )
