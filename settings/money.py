"""Limits of what pictures may cost, on the engines that Easel's owner pays."""

from typing import Any, ClassVar, Final

from constants import MAX_BUDGET_USD
from settings.fields import Group, setting
from texts.text import _

_ALLOWED: Final = _("US dollars, 0 to 1000000")


def _dollars(default: float, meaning: str, *, variable: str) -> Any:
    return setting(default, meaning, _ALLOWED, variable=variable, ge=0, le=MAX_BUDGET_USD)


class MoneySettings(Group):
    title: ClassVar[str] = "Money"
    live: ClassVar[frozenset[str]] = frozenset(
        {"everybody_usd", "person_usd", "server_usd", "confirm_above_usd", "assumed_usd"}
    )

    everybody_usd: float = _dollars(
        0,
        _("Most that the pictures of a day (UTC) may cost together; you are warned when it is used up; 0: no limit"),
        variable="DAILY_BUDGET_USD",
    )
    person_usd: float = _dollars(
        0, _("Most that one person’s pictures of a day may cost; 0: no limit"), variable="USER_DAILY_BUDGET_USD"
    )
    server_usd: float = _dollars(
        0,
        _("Most that the pictures of a day may cost in one Discord server; 0: no limit"),
        variable="SERVER_DAILY_BUDGET_USD",
    )
    confirm_above_usd: float = _dollars(
        0, _("Ask before something is drawn that costs more; 0: never ask"), variable="CONFIRM_ABOVE_USD"
    )
    assumed_usd: float = _dollars(
        0.1,
        _("Counted for a picture, until it is known, where an engine that charges names no price"),
        variable="ASSUMED_PRICE_USD",
    )
