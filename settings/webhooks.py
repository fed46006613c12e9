"""The address where the owner wants every job reported."""

from typing import ClassVar

from pydantic import SecretStr

from settings.fields import Group, address, secret
from texts.text import _


class WebhookSettings(Group):
    title: ClassVar[str] = "Webhooks"
    live: ClassVar[frozenset[str]] = frozenset({"url", "secret"})

    url: str = address(
        _("URL that receives an event for every job (docs/webhooks.md)"),
        _("an address like https://hooks.example/easel"),
        variable="WEBHOOK_URL",
        has_token=True,
        repr=False,
    )
    secret: SecretStr = secret(
        _("Secret that signs those events; empty: no signature"), _("any secret text"), variable="WEBHOOK_SECRET"
    )
