"""The message bus: which NATS server, and how Easel signs in there."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, SecretStr

from lazy import pattern
from settings.fields import Group, Lower, Names, names_of, number, secret, setting, switch, text
from texts.text import _

SUBJECTS: Final = "ai.vision.imagegen"  # as the service that Easel unites has them
SERVER: Final = pattern(r"(nats|tls|ws|wss)://\S+")


def _check_servers(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Let addresses of servers through; `host:port` alone is one, too."""
    found = tuple(url if "://" in url else f"nats://{url}" for url in urls)
    if not all(SERVER.fullmatch(url) for url in found):
        raise ValueError("no address")  # no text: the setting says what is right
    return found


class BusSettings(Group):
    title: ClassVar[str] = _("Message bus")

    urls: Annotated[Names, AfterValidator(_check_servers)] = names_of(
        _("NATS servers to take requests from (docs/bus.md); empty: none"),
        _("addresses, like nats://bus.example:4222 or tls://bus.example:4222"),
        variable="NATS_URL",
        has_token=True,
    )
    mode: Annotated[Literal["", "local"], Lower] = setting(
        "", _("local starts a NATS server on this machine, where NATS_URL names none"), _("local, or empty"),
        variable="NATS",
    )  # fmt: skip
    port: int = number(4222, _("Port of that server on 127.0.0.1"), variable="NATS_PORT", low=1, high=65535)
    user: str = text("", _("User at the NATS server"), _("a name"), variable="NATS_USER")
    password: SecretStr = secret(_("Password of that user"), _("any text"), variable="NATS_PASSWORD")
    token: SecretStr = secret(_("Token for the NATS server"), _("any text"), variable="NATS_TOKEN")
    nkey: SecretStr = secret(_("NKey seed for the NATS server"), _("a seed, like SUA..."), variable="NATS_NKEY")
    ca: str = text("", _("File with the authority behind its TLS certificate"), _("a file"), variable="NATS_CA")
    cert: str = text("", _("File with the certificate that Easel shows there"), _("a file"), variable="NATS_CERT")
    cert_key: str = text("", _("File with the key of that certificate"), _("a file"), variable="NATS_CERT_KEY")
    subjects: str = text(
        SUBJECTS,
        _("First words of all subjects"),
        _("words with dots between them"),
        variable="NATS_SUBJECTS",
        pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
    )
    needs_key: bool = switch(
        False, _("Take no request without an API key; else who is let in at the server may draw"), variable="NATS_KEYS"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.urls or self.mode)

    @property
    def is_local(self) -> bool:
        """Return whether Easel starts the server itself."""
        return bool(self.mode) and not self.urls

    @property
    def servers(self) -> tuple[str, ...]:
        return self.urls or (f"nats://127.0.0.1:{self.port}",)

    @property
    def variable(self) -> str:
        """Return the variable that has switched the bus on."""
        return "NATS_URL" if self.urls else "NATS"
