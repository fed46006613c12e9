"""AI Power Grid, over its present `/v1` API."""

from backends.aipowergrid.backend import AiPowerGridBackend
from backends.registry import register

__all__ = ["AiPowerGridBackend"]

register(AiPowerGridBackend.kind)(AiPowerGridBackend)
