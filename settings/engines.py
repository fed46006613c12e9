"""The settings of the engines: which there are, and of each what engines of all kinds have."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field, SecretStr

from settings.fields import HTTP_URL, Group, Lower, Names, Url, names_of, number, secret, setting, switch, text
from texts.text import _, template

ENGINE_ADDRESS: Final = _("an address like http://127.0.0.1:7860")


class BackendSettings(Group):
    """One engine as configured; its variables begin with its name in capitals, `GPU1_URL`."""

    model_config = ConfigDict(validate_default=False)  # an engine inside this process has no address
    title: ClassVar[str] = _("One engine")
    live: ClassVar[frozenset[str]] = frozenset({"url", "key", "enabled", "label", "concurrency", "rate_per_minute"})

    name: str
    kind: Annotated[str, Lower] = text("", template("What it is: {kinds}"), _("a kind of engine"))
    url: Url = text("", "Address", ENGINE_ADDRESS, repr=False, pattern=HTTP_URL)
    key: SecretStr = secret(_("API key, or user:password"), _("a key"))
    enabled: bool = switch(True, _("Whether it is used"))
    label: str = text("", _("Name that people see"), _("a name of up to 60 characters"), max_length=60)
    concurrency: int = number(1, _("Maximum jobs at once"), low=1, high=64)
    rate_per_minute: float | None = setting(
        None, _("Maximum jobs per minute; empty: no limit"), _("a number above 0, up to 6000"), gt=0, le=6000
    )
    options: Mapping[str, str] = Field(default_factory=dict, repr=False)  # what only its kind reads


class EnginesSettings(Group):
    title: ClassVar[str] = "Engines"
    live: ClassVar[frozenset[str]] = frozenset({"names", "configured", "off"})

    names: Names = names_of(
        _("Names of your engines; each has its own settings, see below"),
        _("names, like gpu1,gpu2"),
        variable="BACKENDS",
    )
    default: str = text(
        "",
        _("The engine that draws where a request names none, as long as it can; empty: the one that suits best"),
        _("the name of an engine, or a word for its kind"),
        variable="DEFAULT_ENGINE",
        otherwise=("DEFAULT_PROVIDER",),
        max_length=60,
    )
    probe_local_ports: bool = switch(True, template("Also look for engines on ports {ports} of this machine"))
    configured: tuple[BackendSettings, ...] = ()
    off: tuple[BackendSettings, ...] = ()  # those that are switched off
    fallback_options: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, repr=False)  # by the kind's name
