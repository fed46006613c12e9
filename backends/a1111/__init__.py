"""AUTOMATIC1111, Forge and their forks, over their HTTP API (`--api`)."""

from backends.a1111.backend import A1111Backend
from backends.registry import register

__all__ = ["A1111Backend"]

register(A1111Backend.kind)(A1111Backend)
