"""The child process: `python -m backends.embedded.work.hand` takes the orders of `backends/embedded/backend.py`."""

import os
from typing import Final

from backends.child_side import serve
from backends.embedded.kind import makers_here
from backends.embedded.work.engine import LocalEngine
from backends.embedded.work.makers import Makers
from backends.embedded.work.orders import DIFFUSERS, OPENVINO, Maker

BEAT_S: Final = 2.0


def make() -> Maker:
    """Make what draws; nothing heavy is loaded yet."""
    made = {DIFFUSERS: _diffusers, OPENVINO: _openvino}
    there = makers_here()
    return Makers({name: maker for name, maker in made.items() if name in there} or made)


def _diffusers() -> Maker:
    from backends.embedded.work.drawing import DiffusersMaker  # it loads torch, which takes seconds

    return DiffusersMaker(os.environ.get("EASEL_DEVICE", "auto"))


def _openvino() -> Maker:
    from backends.embedded.work.openvino_drawing import OpenVinoMaker  # it may not be installed

    return OpenVinoMaker(os.environ.get("EASEL_DEVICE", "auto"))


class _Late:
    """An engine whose maker is made with the first order, so that beats begin before torch is loaded."""

    def __init__(self) -> None:
        self._engine: LocalEngine | None = None

    @property
    def engine(self) -> LocalEngine:
        if self._engine is None:
            self._engine = LocalEngine(make(), offload=os.environ.get("EASEL_OFFLOAD", "auto"))
        return self._engine


if __name__ == "__main__":
    late = _Late()
    serve(lambda order, blobs, reporter: late.engine.work(order, blobs, reporter), beat_s=BEAT_S)
