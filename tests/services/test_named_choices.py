"""Names of models, samplers and schedulers over several engines: drawn where they are, else refused."""

import pytest

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import CapabilityError
from generation.request import Mode
from tests.services.test_generation import House, house

__all__ = ["house"]  # the fixture


@pytest.mark.parametrize("what", ["model", "sampler", "scheduler"])
async def test_a_name_that_no_engine_has_is_not_drawn_by_one_that_passes_names_over(house: House, what: str) -> None:
    can = {"modes": frozenset(Mode), "models": (), "samplers": (), "schedulers": ()}
    listed = (ModelInfo(name="dreamshaper", title="Dreamshaper"),) if what == "model" else ("Euler",)
    await house.engine("gpu", capabilities=Capabilities(**(can | {f"{what}s": listed})))
    await house.engine("plain", capabilities=Capabilities(**can))
    with pytest.raises(CapabilityError, match="nope"):
        await house.ask(**{what: "nope"})
    known = "dreamshaper" if what == "model" else "Euler"
    assert (await house.ask(**{what: known})).lane == "gpu"


async def test_where_no_engine_has_names_they_are_passed_over(house: House) -> None:
    can = Capabilities(modes=frozenset(Mode), models=(), samplers=(), schedulers=())
    await house.engine("plain", capabilities=can)
    job = await house.ask(model="nope")
    assert any("nope ignored" in note for note in job.notes)
