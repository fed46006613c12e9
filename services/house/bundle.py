"""The services of house rules in one value."""

from lazy import dataclass
from services.house.gate import Gate
from services.house.rules import HouseRuleService


@dataclass(frozen=True, kw_only=True)
class House:
    """The rules of each server, and the place that applies them."""

    rules: HouseRuleService
    gate: Gate
