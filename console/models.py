"""`python main.py models pull | list | remove | verify | licence`: models for the engine inside (docs/models.md).

The size and the licence are shown, and agreed to, before the first byte is fetched.
"""

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Final, Literal

from console.arguments import add, below
from console.drawing import BAD_INPUT, FAILED, explain
from console.text import say, tell
from generation.errors import GenerationError
from lazy import dataclass
from services.engines.own_models import Keeper, Known, check_base
from texts.text import _

GB: Final = 10**9
AGREED: Final = frozenset({"y", "yes"})
EVERY_S: Final = 1.0
WORDLESS_SHARE: Final = 0.1  # of the way between two lines where nobody watches

Ask = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class ModelCommand:
    """A task for models; `has_agreed`: to the licence and the size, on the command line."""

    action: Literal["pull", "list", "remove", "verify", "licence"]
    name: str = ""
    has_agreed: bool = False


def add_to(models: Any) -> None:
    """Describe what stands below `models` to the command line."""
    actions = below(models, is_needed=False)
    pull = add(actions, "pull", _("fetch a model; without a name: show which there are"), _pulled)
    pull.add_argument("name", metavar="NAME", nargs="?", default="")
    pull.add_argument("--yes", action="store_true", help=_("agree to its size and licence"))
    add(actions, "list", _("show the models on this machine"), lambda __: ModelCommand(action="list"))
    for action, meaning in (
        ("remove", _("delete a model")),
        ("verify", _("check each file of a model")),
        ("licence", _("show the licence of a model")),
    ):
        command = add(actions, action, meaning, _named(action))
        command.add_argument("name", metavar="NAME")


def _named(action: Any) -> Callable[[Namespace], ModelCommand]:
    return lambda values: ModelCommand(action=action, name=values.name)


def _pulled(values: Namespace) -> ModelCommand:
    return ModelCommand(action="pull", name=values.name, has_agreed=values.yes)


async def keep_models(keeper: Keeper, command: ModelCommand, ask: Ask | None) -> int:
    """Do it and tell; return the exit code. `ask` puts a question to who sits there, None where nobody does."""
    try:
        if command.action == "list":
            _list(keeper)
            return 0
        if command.action == "pull" and not command.name:
            _offer(keeper)
            return 0
        model = keeper.find(command.name)
        match command.action:
            case "pull":
                return await _pull(keeper, model, command, ask)
            case "remove":
                tell(
                    _(
                        "{name} is deleted: {size:.1f} GB are free again.",
                        name=model.name,
                        size=keeper.remove(model) / GB,
                    )
                )
            case "verify":
                return _verify(keeper, model)
            case _:
                _licence(keeper, model)
    except GenerationError as error:
        return explain(error.code, error.user_message, error.hint)
    return 0


def _offer(keeper: Keeper) -> None:
    for model in keeper.known():
        mark = "✔" if keeper.has(model) else " "
        say(f"{mark} {model.name}: {model.title}, {model.size_gb:g} GB, {model.licence}")
        say(f"    {model.good_for}")
    tell(_("`python main.py models pull NAME` fetches one."))


def _list(keeper: Keeper) -> None:
    shelf = keeper.shelf()
    for model in shelf.models:
        say(f"{model.name}: {model.family.title}, {model.weights_mb / 1000:.1f} GB")
    for path in shelf.loras:
        say(f"LoRA {path.stem}")
    for path in shelf.controls:
        say(f"ControlNet {path.name}: {path.kind}")  # no text: a name
    for kind in shelf.drawers:
        tell(_("Maps of {kind} are drawn of any picture.", kind=kind))
    for single in shelf.alone:
        tell(
            _(
                "{name} is a model of the family {family} in one file: fetch one of that family as well, "
                "which lends it what it lacks.",
                name=single.name,
                family=single.family,
            )
        )
    for file in shelf.unread:
        tell(_("{name} cannot be drawn with: {why}", name=file.name, why=file.why))
    if not shelf.models:
        tell(_("No model yet: `python main.py models pull` shows which there are."))


async def _pull(keeper: Keeper, model: Known, command: ModelCommand, ask: Ask | None) -> int:
    check_base(keeper, model)
    plan = await keeper.plan(model)
    if not plan.left and keeper.has(model):
        tell(_("{name} is here already.", name=model.name))
        return 0
    left, size = plan.left / GB, plan.size / GB
    tell(_("{title}: {left:.1f} of {size:.1f} GB are to be fetched.", title=model.title, left=left, size=size))
    _terms(model)
    if not command.has_agreed:
        if ask is None:
            tell(_("Nobody is here to agree: add --yes if you do."))
            return BAD_INPUT
        if ask(_("Do you agree, and is it to be fetched now? [y/N] ")).strip().lower() not in AGREED:
            tell(_("Nothing was fetched."))
            return FAILED
    await keeper.pull(plan, Meter(plan.left).add)
    tell(_("{name} is here. An Easel that is running finds it by itself where it has another model.", name=model.name))
    return 0


def _terms(model: Known) -> None:
    tell(_("Licence: {licence}, {url}", licence=model.licence, url=model.licence_url))
    if not model.is_commercial:
        tell(_("This licence is not for commercial use."))
    if model.is_gated:
        tell(_("The hub gives it only to who has agreed there, with a token: HF_TOKEN."))


def _verify(keeper: Keeper, model: Known) -> int:
    if bad := keeper.verify(model):
        tell(_("Damaged: {files}. Remove {name} and fetch it again.", files=", ".join(bad), name=model.name))
        return FAILED
    tell(_("{name} is whole.", name=model.name))
    return 0


def _licence(keeper: Keeper, model: Known) -> None:
    _terms(model)
    if text := keeper.licence_text(model):
        say(text)


class Meter:
    """Shows how much of `total` bytes has come, on one line where somebody watches."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = max(1, total)
        self._clock = clock
        self._done = 0
        self._begun = self._due = clock()
        self._shown = 0.0

    def add(self, count: int) -> None:
        self._done += count
        share, now = min(1.0, self._done / self._total), self._clock()
        watched = sys.stderr.isatty()
        is_due = now >= self._due if watched else share >= self._shown + WORDLESS_SHARE
        if not is_due and self._done < self._total:
            return
        self._due, self._shown = now + EVERY_S, share
        speed = self._done / 1e6 / max(0.1, now - self._begun)
        line = _(
            "{share:.0%} of {size:.1f} GB, {speed:.1f} MB a second", share=share, size=self._total / GB, speed=speed
        )
        print(f"\r{line}  ", end="" if watched and share < 1 else "\n", file=sys.stderr, flush=True)
