"""AI Horde and private Hordes, over the `/v2` API."""

from backends.ai_horde.backend import AiHordeBackend
from backends.registry import register

__all__ = ["AiHordeBackend"]

register(AiHordeBackend.kind)(AiHordeBackend)
