"""The commands that are offered: none that cannot work with any engine that is connected here, whoever connected it.

Commands are the same for everybody, so that one person's engine is enough for all to see a command of it.
"""

from typing import Final

from generation.request import Mode
from lazy import dataclass
from services.engines.catalog import Catalog
from services.rentals.rentals import RentalService

NEEDED: Final = {"restyle": Mode.RESTYLE}
RENTED: Final = "gpu"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Names of commands not to offer; `undecided` ones stay as Discord has them: engines have yet to answer."""

    names: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()

    def given(self, known: frozenset[str]) -> frozenset[str]:
        """Return what is left out where Discord has these commands now."""
        return self.names | (self.undecided - known)


@dataclass(frozen=True, kw_only=True)
class Offers:
    """Looks at the engines."""

    catalog: Catalog
    rentals: RentalService

    def left_out(self) -> LeftOut:
        """Return the commands that can do nothing here now."""
        modes = self.catalog.all_modes()
        lacking = frozenset(name for name, mode in NEEDED.items() if mode not in modes)
        rented = frozenset() if self.rentals.may_serve() else frozenset({RENTED})
        if self.catalog.is_known():
            return LeftOut(names=lacking | rented)
        return LeftOut(names=rented, undecided=lacking)
