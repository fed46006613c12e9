"""Router for presses of buttons and menus, and for forms that were sent: each cog names those that it answers."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import nextcord
from nextcord.ext import commands

from cogs.cards import ID_PREFIX, MORE_ACTION, MORE_OF_ACTION, OTHER_VERSION
from cogs.error_handler import reply_errors
from generation.errors import RequestRejected
from lazy import dataclass


@dataclass(frozen=True, kw_only=True)
class Press:
    """The content of a control's id, `e1:action:job:argument`, and what was chosen in a menu."""

    action: str
    job_id: str = ""
    argument: str = ""
    values: tuple[str, ...] = ()


Handler = Callable[[nextcord.Interaction, Press], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One action and who answers it; with `argument`, only presses that carry it."""

    action: str
    handle: Handler
    argument: str = ""
    prefix: str = ID_PREFIX
    takes_forms: bool = False


@runtime_checkable
class Pressable(Protocol):
    """A cog with controls."""

    def routes(self) -> Iterable[Route]: ...


class Presses(commands.Cog):
    """The only listener for presses; whatever a handler raises is told to who pressed."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str, str], Route] = {}

    def add(self, cog: object) -> None:
        """Let a cog answer what it names; two may not name the same."""
        for route in cog.routes() if isinstance(cog, Pressable) else ():
            key = (route.prefix, route.action, route.argument)
            if key in self._routes:
                raise ValueError(f"two cogs answer {':'.join(key)}")
            self._routes[key] = route

    @commands.Cog.listener("on_interaction")
    async def on_press(self, interaction: nextcord.Interaction) -> None:
        """Find the handler of a press by its id; ids of other bots are not ours to answer."""
        is_form = interaction.type is nextcord.InteractionType.modal_submit
        if not is_form and interaction.type is not nextcord.InteractionType.component:
            return
        data: Any = interaction.data
        prefix, action, job_id, argument = (*data["custom_id"].split(":", 3), "", "", "")[:4]
        if all(prefix != known for known, _, _ in self._routes):
            return
        values = tuple(data.get("values") or ())
        if (prefix, action) == (ID_PREFIX, MORE_ACTION) and values:
            (action, __, argument), values = values[0].partition(":"), ()
        if (prefix, action) == (ID_PREFIX, MORE_OF_ACTION) and values:
            job_id, action, argument = (*values[0].split(":", 2), "", "")[:3]
            values = ()
        route = self._routes.get((prefix, action, argument)) or self._routes.get((prefix, action, ""))
        async with reply_errors(interaction):
            if route is None or (is_form and not route.takes_forms):
                raise RequestRejected(OTHER_VERSION)
            press = Press(action=action, job_id=job_id, argument=argument, values=values)
            await route.handle(interaction, press)
