"""The makers there are, as one: each model is drawn with by the library that it was saved for."""

from collections.abc import Callable, Mapping, Sequence

from backends.embedded.work.orders import ChildOrder, Device, Maker, ModelFolder, OnStep, Rung


class Makers:
    """At most one model is in memory, whichever of them draws. `makers` make one each; the first is the usual one."""

    def __init__(self, makers: Mapping[str, Callable[[], Maker]]) -> None:
        self._make = makers
        self._made: dict[str, Maker] = {}
        self._name = next(iter(makers))

    def choose(self, model: ModelFolder) -> None:
        """Let the maker of a model speak from now on."""
        if model.maker != self._name:
            self._now.unload()
        self._name = model.maker

    @property
    def most_at_once(self) -> int | None:
        return self._now.most_at_once

    def look(self) -> Device:
        return self._now.look()

    def load(self, model: ModelFolder, rung: Rung) -> None:
        self._now.load(model, rung)

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        return self._now.draw(order, seeds, on_step)

    def notes(self) -> list[str]:
        return self._now.notes()

    def unload(self) -> None:
        for maker in self._made.values():
            maker.unload()

    def free_cache(self) -> None:
        for maker in self._made.values():
            maker.free_cache()

    def is_out_of_memory(self, error: Exception) -> bool:
        return self._now.is_out_of_memory(error)

    @property
    def _now(self) -> Maker:
        if self._name not in self._made:
            self._made[self._name] = self._make[self._name]()
        return self._made[self._name]
