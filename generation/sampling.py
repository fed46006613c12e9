"""Bend the sampler and the scheduler of a request to those an engine has; `None` means it cannot tell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from generation.named import is_own_choice
from generation.request import GenerationRequest
from generation.samplers import match_sampler, match_scheduler
from texts.text import _

Say = Callable[[str], None]


class HasSamplers(Protocol):
    """The part of an engine's capabilities that is needed here."""

    @property
    def samplers(self) -> tuple[str, ...] | None: ...

    @property
    def schedulers(self) -> tuple[str, ...] | None: ...


def fit_samplers(request: GenerationRequest, capabilities: HasSamplers, say: Say) -> GenerationRequest:
    """Return a request with the engine's own names for its sampler and its scheduler, or without them."""
    request = _fit_sampler(request, capabilities.samplers, say)
    wanted, schedulers = request.scheduler, capabilities.schedulers
    if not wanted or schedulers is None:
        return request
    found = match_scheduler(wanted, schedulers)
    say_dropped("scheduler", wanted, found, schedulers, say)
    return replace(request, scheduler=found)


def _fit_sampler(request: GenerationRequest, samplers: tuple[str, ...] | None, say: Say) -> GenerationRequest:
    wanted = request.sampler
    if not wanted or samplers is None:
        return request
    found = match_sampler(wanted, samplers)
    say_dropped("sampler", wanted, found, samplers, say)
    if found and found.is_nearest:
        say(_("sampler {wanted} → {name}", wanted=wanted, name=found.name))
    scheduler = request.scheduler or (found.scheduler if found else None)
    return replace(request, sampler=found.name if found else None, scheduler=scheduler)


def say_dropped(what: str, wanted: str, found: object, names: tuple[str, ...], say: Say) -> None:
    """Report that a name is left out; one that would matter was refused before."""
    if not names:
        say(_("{what} {wanted} ignored: this engine has none to choose from", what=what, wanted=wanted))
    elif found is None and not is_own_choice(wanted):
        say(_("{what} {wanted} ignored: upscaling takes none", what=what, wanted=wanted))
