from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.base import Backend, BackendConfig
from backends.gradio_flux.backend import GradioFluxBackend
from tests.contracts.backend_contract import BackendContract
from tests.engines.gradio_app import GradioApp

SLOW_STEP_S = 0.05


def connect(app: GradioApp, *, silence_s: float = 5.0, **changes: object) -> GradioFluxBackend:
    values: dict[str, object] = {"name": "flux", "kind": "gradio_flux", "label": "Flux", "url": app.url}
    return GradioFluxBackend(BackendConfig(**(values | changes)), silence_s=silence_s)  # type: ignore[arg-type]


class GradioRig:
    def __init__(self, app: GradioApp) -> None:
        self.app = app
        self.backend: Backend = connect(app)

    def is_working(self) -> bool:
        return bool(self.app.engine.drawing or self.app.engine.waiting)

    def fail_next(self) -> None:
        self.app.engine.fail_with = RuntimeError("expected scalar type Half but found Float")

    async def take_down(self) -> None:
        await self.app.__aexit__()


class GradioContract(BackendContract):
    """No gradio job can be stopped: a held one here is a slow one, which ends by itself."""

    major = 5
    recorded = ""
    size = (256, 320)

    @asynccontextmanager
    async def rig(self, *, hold: bool = False) -> AsyncIterator[GradioRig]:
        async with GradioApp(self.major, self.recorded, seconds_per_step=SLOW_STEP_S if hold else 0.0) as app:
            rig = GradioRig(app)
            yield rig
            await rig.backend.aclose()


class TestGradio4(GradioContract):
    major = 4


class TestGradio5(GradioContract):
    pass


class TestGradio6(GradioContract):
    major = 6


class TestZImage(GradioContract):
    major = 4
    recorded = "zimage-gradio4"
