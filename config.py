"""Every setting of Easel: typed, with its unit, range and default. Read once from `.env` and the environment.

The environment wins over `.env`. `.env.example` and the table in README.md show the same settings; a test holds the
three together. Only `main` and `cli` read this module, everybody else receives plain values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

import constants as c
from config_env import MASKED, mask_address, read_env_file
from config_fields import (
    HTTP_URL,
    Ids,
    JobSpan,
    Lower,
    Names,
    Networks,
    Span,
    Upper,
    Url,
    names_of,
    number,
    parts,
    right_of,
    secret,
    shown,
    span,
    switch,
    text,
)
from config_foreign import NO_FILTER, stray_settings, unsafe_settings

Model = TypeVar("Model", bound=BaseModel)

INSTANCE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
KINDS_WITH_URL: Final = (
    "a1111",
    "comfyui",
    "gradio_flux",
)  # <KIND>_URL alone makes an engine; without it, nothing does
ALIASES: Final = {"IMAGE_STORAGE_PATH": "MEDIA_CACHE_DIR"}  # the name another system has for it
WITH_TOKEN: Final = frozenset({"webhook_url"})  # whoever knows such an address may use it
TOKEN_PATH: Final = re.compile(r"^((?:\w+:/+)?[^/\s]+/).+$")
KINDS_WITH_KEY: Final = ("aipowergrid", "ai_horde")  # <KIND>_KEY alone makes one; their addresses are known


class BackendSettings(BaseModel):
    """One engine as configured; its variables begin with its name in capitals, `GPU1_URL`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    kind: Annotated[str, Lower] = text(
        "", "What it is: a1111 (also Forge), comfyui, gradio_flux, aipowergrid, ai_horde, sketch", "a kind of engine"
    )
    url: Url = text("", "Its address", "an address like http://127.0.0.1:7860", repr=False, pattern=HTTP_URL)
    key: SecretStr = secret("Its key, or user:password of --api-auth", "a key")
    label: str = text("", "What people see", "a name of up to 60 characters", max_length=60)
    concurrency: int = number(1, "Jobs it runs at once", low=1, high=64)
    rate_per_minute: float | None = Field(
        default=None,
        gt=0,
        le=6000,
        description="Jobs it may be sent a minute; empty is no limit",
        json_schema_extra={"right": "a number above 0, up to 6000"},
    )
    options: Mapping[str, str] = Field(default_factory=dict, repr=False)


class Settings(BaseModel):
    """All settings. The name of a variable is the field's in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)

    discord_token: SecretStr = secret("The bot's token (docs/discord-setup.md); empty: the console", "the token")
    discord_guild_ids: Ids = names_of(
        "Servers where commands appear at once; empty: everywhere", "server ids, like 123,456"
    )
    command_prefix: str = text("!", "Sign in front of prefix commands", "1 to 5 signs", min_length=1, max_length=5)
    ping_after: Span = span(30.0, "Ping the person when a picture took longer; 0: never", low=0, high=86400)
    gpu_reminder: Span = span(
        c.GPU_IDLE_REMINDER_S, "Write to the owner of a rented GPU that idled for so long; 0: never", low=0, high=86400
    )
    gpu_auto_stop: Span = span(
        0.0, "Stop a rented GPU of WEB_ADMINS or of your servers that idled for so long; 0: never", low=0, high=86400
    )
    runpod_api_key: SecretStr = secret("Starts and stops your machines at RunPod (docs/gpu-rental.md)", "the key")
    vast_api_key: SecretStr = secret("The same at Vast.ai", "the key")
    discord_api_url: Url = text(
        c.DISCORD_API_URL, "Discord's API, or a REST proxy's", f"an address like {c.DISCORD_API_URL}", pattern=HTTP_URL
    )

    backends: Names = names_of(
        "Names of your engines; each has settings of its own, see below", "names, like gpu1,gpu2"
    )
    probe_local_ports: bool = switch(
        True, "Look for engines on ports 7860, 7861 and 8188 of this machine, beside those that are set"
    )
    allow_insecure_http: bool = switch(False, "Allow http:// (not encrypted) to engines on the internet")
    allow_private_backends: bool = switch(False, "Allow /sdconnect, links and webhooks to this machine and its network")
    allowed_backend_hosts: Names = names_of(
        "Only these hosts for /sdconnect; empty: every public one", "hosts, like .runpod.net"
    )

    max_queue_size: int = number(c.DEFAULT_MAX_QUEUE_SIZE, "Jobs waiting in all", low=1, high=100_000)
    max_waiting_per_user: int = number(c.DEFAULT_MAX_WAITING_PER_USER, "Jobs waiting per person", low=1, high=100_000)
    max_running_per_user: int = number(c.DEFAULT_MAX_RUNNING_PER_USER, "Jobs running per person", low=1, high=1000)
    max_upload_mb_per_user: int = number(
        c.DEFAULT_MAX_UPLOAD_MB_PER_USER,
        "MB of pictures that one person may bring within MEDIA_TTL; 0: no limit",
        low=0,
        high=100_000,
    )
    max_concurrent_jobs: int = number(
        0, "Jobs running on all engines together; 0: as many as the engines take", low=0, high=1000
    )
    cooldown: Span = span(0.0, "Least time between two requests of one person", low=0, high=86400)
    max_wait: Span = span(c.DEFAULT_MAX_WAIT_S, "A job that has waited for so long is given up", low=1, high=30 * 86400)
    engine_patience: Span = span(
        c.DEFAULT_ENGINE_PATIENCE_S,
        "How long a job keeps its place while its only engine is gone; 0s: it is tried three times instead",
        low=0,
        high=30 * 86400,
    )
    job_timeout: JobSpan = span(
        c.DEFAULT_JOB_TIMEOUT_S, "Longest a job may run; a plain number from 1000 on is milliseconds", low=1, high=86400
    )
    graceful_stop: Span = span(c.GRACEFUL_STOP_S, "At a stop, time for running jobs to finish", low=0, high=3600)

    web: bool = switch(True, "Serve the studio and the HTTP API")
    port: int = number(
        c.DEFAULT_PORT, "Their port; where it is taken and not set here, the next free one", low=0, high=65535
    )
    web_host: str = text(
        "127.0.0.1",
        "Address they listen on; 0.0.0.0 lets other machines in, with a key or signed in",
        "an address of this machine",
    )
    compat_ports: bool = switch(False, "Listen on 3003 and 8005 too, for programs written for those")
    compat_base64: bool = switch(False, "GET /jobs/ID gives pictures as base64 alone, for clients that take it so")
    public_url: Url = text(
        "",
        "Where people reach the studio from outside",
        "an address like https://easel.example.org",
        pattern=f"^$|{HTTP_URL}",
    )
    web_hosts: Names = names_of("Further names this server answers to", "host names, like easel.lan")
    trusted_proxies: Networks = names_of(
        "Proxies whose word on who calls counts; empty: with PUBLIC_URL those on this machine",
        "addresses or networks, like 10.0.0.5,172.16.0.0/12",
    )
    web_origins: Names = names_of(
        "Pages of other sites that may call the API with a key", "addresses, like https://app.example.org"
    )
    web_connections: int = number(
        1000, "Connections to the studio and the API at once; beyond it the longest idle go", low=16, high=50_000
    )
    web_connections_per_address: int = number(
        200, "The same for one address; not for this machine's own and TRUSTED_PROXIES", low=4, high=50_000
    )
    web_allowed_guilds: Ids = names_of(
        "Servers whose members may sign in to the studio; empty: those of DISCORD_GUILD_IDS", "server ids, like 123,456"
    )
    web_admins: Ids = names_of("People who may do everything in the studio", "Discord user ids, like 123,456")
    discord_client_id: str = text(
        "", "The application's id at Discord, to sign in with (docs/discord-setup.md)", "its number", pattern=r"^\d*$"
    )
    discord_client_secret: SecretStr = secret("The application's OAuth2 secret at Discord", "the secret")
    webhook_url: str = text(
        "",
        "Where what becomes of every job is posted (docs/webhooks.md)",
        "an address like https://hooks.example/easel",
        repr=False,  # it may carry a token
        pattern=f"^$|{HTTP_URL}",
    )
    webhook_secret: SecretStr = secret("Signs what is posted; empty: no signature", "any secret text")
    replicate_webhook_secret: SecretStr = secret(
        "Checks webhooks that Replicate posts to /webhooks/replicate; empty: none is taken", "whsec_ and base64"
    )
    image_cdn_url: Url = text(
        "",
        "Goes in front of the addresses of pictures that programs get; empty: this server's own",
        "an address like https://cdn.example",
        pattern=f"^$|{HTTP_URL}",
    )

    data_dir: Path = text("data", "Folder for everything Easel keeps", "a folder")
    media_cache_dir: Path = text("media_cache", "Folder for pictures, inside DATA_DIR unless absolute", "a folder")
    media_ttl: Span = span(c.DEFAULT_MEDIA_TTL_S, "How long pictures are kept", low=1, high=30 * 86400)
    words_ttl: Span = span(
        0.0,
        "How long prompts are kept after their pictures; 0: for ever. Private ones go with their picture in any case",
        low=0,
        high=3650 * 86400,
    )
    provenance: Annotated[Literal["off", "xmp", "c2pa"], Lower] = text(
        "xmp",
        "What says in every picture's file that a machine made it; never the prompt (docs/content-credentials.md)",
        "xmp, c2pa (the same, signed with your certificate) or off",
    )
    c2pa_certificate: str = text("", "With c2pa: your certificate and those that issued it", "a PEM file", repr=False)
    c2pa_key: SecretStr = secret("With c2pa: its private key", "a PEM file")
    c2pa_timestamp_url: Url = text(
        "",
        "With c2pa: who signs the time of new pictures; empty: nobody",
        "an address like http://timestamp.example.org",
        pattern=f"^$|{HTTP_URL}",
    )
    secret_key: SecretStr = secret("Key that seals stored keys; empty: a key file in DATA_DIR", "44 signs of base64")

    daily_budget_usd: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Warn when all pictures of a day cost more; 0: never",
        json_schema_extra={"right": "US dollars, 0 to 1000000"},
    )
    alert_slow: Span = span(60.0, "Warn when a picture takes longer; 0: never", low=0, high=86400)
    alert_error_percent: int = number(5, "Warn when more percent of pictures fail; 0: never", low=0, high=100)
    alert_cooldown: Span = span(3600.0, "Least time between two warnings about the same", low=0, high=7 * 86400)

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = text(
        "INFO", "How much is logged", "DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], Lower] = text("text", "How it is logged", "text or json")

    engines: tuple[BackendSettings, ...] = Field(default=(), exclude=True)
    sketch_options: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    warnings: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def media_folder(self) -> Path:
        return self.data_dir / self.media_cache_dir  # an absolute one stays as it is

    def secrets(self) -> tuple[str, ...]:
        """Return every secret among the settings, for the log to leave out."""
        fields = [getattr(self, name) for name, field in type(self).model_fields.items() if not field.exclude]
        own = (value for value in fields if isinstance(value, SecretStr))
        every = (*own, *(engine.key for engine in self.engines))
        return tuple(secret.get_secret_value() for secret in every if secret.get_secret_value())


@dataclass(frozen=True, kw_only=True)
class SettingHelp:
    """One setting as `.env.example` and README.md show it."""

    name: str
    default: str
    meaning: str
    right: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A value that cannot be; a secret one is masked, and so is what may be a password in an address."""

    name: str
    value: str
    right: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", mask_address(self.value))

    def __str__(self) -> str:
        said = f"{self.name}={self.value}" if self.value else f"{self.name} is missing"
        return f"{said}: must be {self.right}{self._without_password()}"

    def _without_password(self) -> str:
        if f"://{MASKED}@" not in self.value:
            return ""
        engine = self.name.removesuffix("_URL")
        own = f" (those go into {engine}_KEY)" if self.right == right_of(BackendSettings.model_fields["url"]) else ""
        return f", without user:password@ in it{own}"


class SettingsError(Exception):
    """Settings that cannot be used; the text names each variable, its value and what would be right."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def describe() -> list[SettingHelp]:
    """List all settings but those of single engines, in the order people read them."""
    return [_help(name, field) for name, field in Settings.model_fields.items() if not field.exclude]


def describe_instance() -> list[SettingHelp]:
    """List the settings of one engine, named as for an engine called gpu1."""
    fields = BackendSettings.model_fields.items()
    return [_help(f"gpu1_{name}", field) for name, field in fields if name not in {"name", "options"}]


def read_settings(env_file: Path, environ: Mapping[str, str]) -> Settings:
    """Read all settings; an empty value counts as not said.

    Raises:
        SettingsError: names everything that is wrong, not only the first.
    """
    try:
        file, unreadable = read_env_file(env_file)
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(name=str(env_file), value="unreadable", right="a text file in UTF-8")) from error
    said = {name: value.strip() for name, value in {**file, **environ}.items()}
    for other, name in ALIASES.items():
        said[name] = said.get(name) or said.get(other, "")
    problems: list[Problem] = []
    values: dict[str, Any] = {
        name: said[name.upper()]
        for name, field in Settings.model_fields.items()
        if not field.exclude and said.get(name.upper())
    }
    settings = _build(Settings, values, "", problems)
    names = [name.lower() for name in parts(said.get("BACKENDS", ""))]
    names += [kind for kind in KINDS_WITH_URL if said.get(f"{kind.upper()}_URL")]
    names += [kind for kind in KINDS_WITH_KEY if said.get(f"{kind.upper()}_KEY") or said.get(f"{kind.upper()}_URL")]
    unsafe = unsafe_settings(file, environ, [_prefix(name) for name in names])
    problems += [Problem(name=name, value=value, right=NO_FILTER) for name, value in unsafe]
    engines = [_engine(name, said, problems) for name in dict.fromkeys(names)]
    if problems or settings is None:
        raise SettingsError(*problems)
    used = tuple(engine for engine in engines if engine)
    kinds = {"SKETCH_": "sketch", **{_prefix(engine.name): engine.kind for engine in used}}
    strays = stray_settings(file, {*(help.name for help in describe()), *ALIASES}, kinds, _INSTANCE_FIELDS)
    return settings.model_copy(
        update={"engines": used, "sketch_options": _options("sketch", said), "warnings": (*unreadable, *strays)}
    )


def _help(name: str, field: FieldInfo) -> SettingHelp:
    return SettingHelp(name=name.upper(), default=shown(field), meaning=field.description or "", right=right_of(field))


def _build(model: type[Model], values: dict[str, Any], prefix: str, problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for name in dict.fromkeys(str(found["loc"][0]) for found in error.errors()):
            field = model.model_fields[name]
            value = MASKED if field.annotation is SecretStr else str(values.get(name, ""))
            if name in WITH_TOKEN:
                value = TOKEN_PATH.sub(rf"\1{MASKED}", value)
            problems.append(Problem(name=f"{prefix}{name}".upper(), value=value, right=right_of(field)))
        return None


_INSTANCE_FIELDS: Final = frozenset(BackendSettings.model_fields) - {"name", "options"}


def _prefix(name: str) -> str:
    return name.upper().replace("-", "_") + "_"


def _options(name: str, said: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of one engine that are not ours: its kind knows them."""
    prefix, known = _prefix(name), {help.name for help in describe()}
    own = {
        key[len(prefix) :].lower(): value for key, value in said.items() if key.startswith(prefix) and key not in known
    }
    return {key: value for key, value in own.items() if value and key not in BackendSettings.model_fields}


def _engine(name: str, said: Mapping[str, str], problems: list[Problem]) -> BackendSettings | None:
    if not INSTANCE_NAME.fullmatch(name):
        right = "names of letters, digits, - and _, the first a letter, at most 32 signs"
        problems.append(Problem(name="BACKENDS", value=name, right=right))
        return None
    prefix = _prefix(name)
    values: dict[str, Any] = {
        field: said[prefix + field.upper()]
        for field in BackendSettings.model_fields
        if field not in {"name", "options"} and said.get(prefix + field.upper())
    }
    values.setdefault("kind", name)
    if values["kind"].lower() in KINDS_WITH_URL and "url" not in values:
        problems.append(Problem(name=f"{prefix}URL", value="", right=right_of(BackendSettings.model_fields["url"])))
    return _build(BackendSettings, {"name": name, "options": _options(name, said), **values}, prefix, problems)
