"""Rented GPUs: when their owners are told, when they are stopped, and the keys to their providers."""

from typing import ClassVar

from pydantic import SecretStr

from constants import GPU_IDLE_REMINDER_S
from settings.fields import Group, Span, secret, span
from texts.text import _


class RentalSettings(Group):
    title: ClassVar[str] = _("Rented GPUs")
    live: ClassVar[frozenset[str]] = frozenset({"reminder_s", "auto_stop_s", "runpod_api_key", "vast_api_key"})

    reminder_s: Span = span(
        GPU_IDLE_REMINDER_S,
        _("Message the owner of a rented GPU that was idle this long; 0: never"),
        variable="GPU_REMINDER",
        low=0,
        high=86400,
    )
    auto_stop_s: Span = span(
        0.0,
        _("Stop a rented GPU of WEB_ADMINS or of your servers that was idle this long; 0: never"),
        variable="GPU_AUTO_STOP",
        low=0,
        high=86400,
    )
    runpod_api_key: SecretStr = secret(
        _("Lets Easel start and stop your machines at RunPod (docs/gpu-rental.md)"), _("an API key")
    )
    vast_api_key: SecretStr = secret(
        _("Lets Easel start and stop your machines at Vast.ai (docs/gpu-rental.md)"), _("an API key")
    )
