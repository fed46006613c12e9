"""The hub that models are fetched from."""

from typing import ClassVar

from pydantic import SecretStr

from settings.fields import HTTP_URL, Group, Url, secret, text
from texts.text import _


class ModelSettings(Group):
    title: ClassVar[str] = _("Models")

    hub: Url = text(
        "https://huggingface.co",
        _("Hub from which `models pull` fetches models (docs/models.md)"),
        _("an address like https://huggingface.co"),
        variable="HF_ENDPOINT",
        pattern=HTTP_URL,
    )
    token: SecretStr = secret(
        _("Token for models that the hub gives only to who has agreed there"), _("a token"), variable="HF_TOKEN"
    )
