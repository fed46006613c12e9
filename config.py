"""Every setting of Easel: typed, with its unit, range and default. Read once from `.env` and the environment.

The environment wins over `.env`. `.env.example` and docs/settings.md are written from it (`scripts/write_settings.py`).
Only `main` and `cli` read this module, everybody else receives plain values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

import constants as c
from backends.kinds import usual_ports
from settings.engines import BackendSettings as BackendSettings
from settings.engines import EngineReader, options_known, prefix_of
from settings.engines import describe_instance as describe_instance
from settings.env_file import read_env_file
from settings.fields import (
    HTTP_URL,
    Ids,
    JobSpan,
    Lower,
    Names,
    Networks,
    SettingHelp,
    Span,
    Upper,
    Url,
    build,
    help_of,
    listed,
    names_of,
    number,
    parts,
    secret,
    span,
    switch,
    text,
)
from settings.foreign import NO_FILTER, stray_settings, unsafe_settings
from settings.problems import Problem as Problem
from settings.problems import SettingsError as SettingsError

ALIASES: Final = {"IMAGE_STORAGE_PATH": "MEDIA_CACHE_DIR"}  # the name another system has for it


class Settings(BaseModel):
    """All settings. The name of a variable is the field's in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)

    discord_token: SecretStr = secret(
        "Bot token (docs/discord-setup.md); empty: no Discord, the console starts instead", "the token"
    )
    discord_guild_ids: Ids = names_of(
        "Servers where slash commands appear at once; empty: all servers", "server ids, like 123,456"
    )
    command_prefix: str = text("!", "Prefix of text commands", "1 to 5 characters", min_length=1, max_length=5)
    ping_after: Span = span(30.0, "Ping the user if a picture took longer; 0: never", low=0, high=86400)
    gpu_reminder: Span = span(
        c.GPU_IDLE_REMINDER_S, "Message the owner of a rented GPU that was idle this long; 0: never", low=0, high=86400
    )
    gpu_auto_stop: Span = span(
        0.0, "Stop a rented GPU of WEB_ADMINS or of your servers that was idle this long; 0: never", low=0, high=86400
    )
    runpod_api_key: SecretStr = secret(
        "Lets Easel start and stop your machines at RunPod (docs/gpu-rental.md)", "an API key"
    )
    vast_api_key: SecretStr = secret(
        "Lets Easel start and stop your machines at Vast.ai (docs/gpu-rental.md)", "an API key"
    )
    discord_api_url: Url = text(
        c.DISCORD_API_URL,
        "Address of Discord's API, or of a REST proxy",
        f"an address like {c.DISCORD_API_URL}",
        pattern=HTTP_URL,
    )

    backends: Names = names_of("Names of your engines; each has its own settings, see below", "names, like gpu1,gpu2")
    probe_local_ports: bool = switch(True, "Also look for engines on ports {ports} of this machine")
    allow_insecure_http: bool = switch(False, "Allow unencrypted http:// to engines on the internet")
    allow_private_backends: bool = switch(
        False, "Allow addresses of this machine and its network in /sdconnect, links and webhooks"
    )
    allowed_backend_hosts: Names = names_of(
        "The only hosts allowed in /sdconnect; empty: all public ones", "hosts, like .runpod.net"
    )

    max_queue_size: int = number(c.DEFAULT_MAX_QUEUE_SIZE, "Maximum jobs waiting in total", low=1, high=100_000)
    max_waiting_per_user: int = number(
        c.DEFAULT_MAX_WAITING_PER_USER, "Maximum jobs waiting per user", low=1, high=100_000
    )
    max_running_per_user: int = number(
        c.DEFAULT_MAX_RUNNING_PER_USER, "Maximum jobs running per user", low=1, high=1000
    )
    max_upload_mb_per_user: int = number(
        c.DEFAULT_MAX_UPLOAD_MB_PER_USER,
        "Maximum MB a user may upload within MEDIA_TTL; 0: no limit",
        low=0,
        high=100_000,
    )
    max_concurrent_jobs: int = number(
        0, "Maximum jobs running on all engines together; 0: as many as the engines take", low=0, high=1000
    )
    cooldown: Span = span(0.0, "Minimum time between two requests of a user", low=0, high=86400)
    max_wait: Span = span(
        c.DEFAULT_MAX_WAIT_S, "Maximum time a job waits before it is given up", low=1, high=30 * 86400
    )
    engine_patience: Span = span(
        c.DEFAULT_ENGINE_PATIENCE_S,
        "How long a job waits for its only engine while that is gone; 0s: it is tried three times instead",
        low=0,
        high=30 * 86400,
    )
    job_timeout: JobSpan = span(
        c.DEFAULT_JOB_TIMEOUT_S,
        "Maximum time a job may run; a plain number from 1000 on is milliseconds",
        low=1,
        high=86400,
    )
    graceful_stop: Span = span(c.GRACEFUL_STOP_S, "Time for running jobs to finish when Easel stops", low=0, high=3600)

    web: bool = switch(True, "Serve the studio and the HTTP API")
    port: int = number(
        c.DEFAULT_PORT,
        "Port of the studio and the API; if it is taken and not set here, the next free one",
        low=0,
        high=65535,
    )
    web_host: str = text(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 lets other machines in, with a key or signed in",
        "an address of this machine",
    )
    compat_ports: bool = switch(False, "Also listen on ports 3003 and 8005, for programs written for those")
    compat_base64: bool = switch(False, "GET /jobs/ID returns plain base64, for clients that expect that")
    public_url: Url = text(
        "",
        "Public address of the studio",
        "an address like https://easel.example.org",
        pattern=f"^$|{HTTP_URL}",
    )
    web_hosts: Names = names_of("More host names this server answers to", "host names, like easel.lan")
    trusted_proxies: Networks = names_of(
        "Proxies that may say who calls (X-Forwarded-For); empty: with PUBLIC_URL those on this machine",
        "addresses or networks, like 10.0.0.5,172.16.0.0/12",
    )
    web_origins: Names = names_of(
        "Websites that may call the API with a key", "addresses, like https://app.example.org"
    )
    web_connections: int = number(
        1000, "Maximum connections at once; beyond that, the longest idle are closed", low=16, high=50_000
    )
    web_connections_per_address: int = number(
        200, "Maximum connections per address; does not hold for this machine and TRUSTED_PROXIES", low=4, high=50_000
    )
    web_allowed_guilds: Ids = names_of(
        "Servers whose members may sign in to the studio; empty: those of DISCORD_GUILD_IDS", "server ids, like 123,456"
    )
    web_admins: Ids = names_of("Users with all rights in the studio", "Discord user ids, like 123,456")
    discord_client_id: str = text(
        "", "OAuth2 client id, to sign in with Discord (docs/discord-setup.md)", "a number", pattern=r"^\d*$"
    )
    discord_client_secret: SecretStr = secret("OAuth2 client secret", "the secret")
    webhook_url: str = text(
        "",
        "URL that receives an event for every job (docs/webhooks.md)",
        "an address like https://hooks.example/easel",
        repr=False,  # it may carry a token
        pattern=f"^$|{HTTP_URL}",
    )
    webhook_secret: SecretStr = secret("Secret that signs those events; empty: no signature", "any secret text")
    replicate_webhook_secret: SecretStr = secret(
        "Secret that checks Replicate's webhooks to /webhooks/replicate; empty: they are refused", "whsec_ and base64"
    )
    image_cdn_url: Url = text(
        "",
        "Prefix for picture URLs in API answers (your CDN); empty: this server",
        "an address like https://cdn.example",
        pattern=f"^$|{HTTP_URL}",
    )

    data_dir: Path = text("data", "Folder for everything Easel stores", "a folder")
    media_cache_dir: Path = text("media_cache", "Folder for pictures; a relative path is inside DATA_DIR", "a folder")
    media_ttl: Span = span(c.DEFAULT_MEDIA_TTL_S, "How long pictures are kept", low=1, high=30 * 86400)
    words_ttl: Span = span(
        0.0,
        "How long prompts are kept after their pictures; 0: forever. A private prompt always goes with its picture",
        low=0,
        high=3650 * 86400,
    )
    provenance: Annotated[Literal["off", "xmp", "c2pa"], Lower] = text(
        "xmp",
        "Mark in every picture file that a machine made it, without the prompt (docs/content-credentials.md)",
        "xmp, c2pa (xmp, and signed with your certificate) or off",
    )
    c2pa_certificate: str = text("", "For c2pa: your certificate and those that issued it", "a PEM file", repr=False)
    c2pa_key: SecretStr = secret("For c2pa: the private key of the certificate", "a PEM file")
    c2pa_timestamp_url: Url = text(
        "",
        "For c2pa: timestamp authority for new pictures; empty: none",
        "an address like http://timestamp.example.org",
        pattern=f"^$|{HTTP_URL}",
    )
    secret_key: SecretStr = secret(
        "Key that encrypts stored secrets; empty: a key file in DATA_DIR", "44 base64 characters"
    )

    daily_budget_usd: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Warn when the pictures of a day cost more; 0: never",
        json_schema_extra={"right": "US dollars, 0 to 1000000"},
    )
    alert_slow: Span = span(60.0, "Warn when a picture takes longer; 0: never", low=0, high=86400)
    alert_error_percent: int = number(5, "Warn when more percent of pictures fail; 0: never", low=0, high=100)
    alert_cooldown: Span = span(3600.0, "Minimum time between two warnings about the same thing", low=0, high=7 * 86400)

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = text(
        "INFO", "How much is logged", "DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], Lower] = text("text", "Format of the log", "text or json")

    engines: tuple[BackendSettings, ...] = Field(default=(), exclude=True)
    fallback_options: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, exclude=True, repr=False)
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


def describe() -> list[SettingHelp]:
    """List all settings but those of single engines, in the order people read them."""
    values = {"ports": listed(usual_ports())}
    return [help_of(name, field, values) for name, field in Settings.model_fields.items() if not field.exclude]


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
    settings = build(Settings, values, "", problems)
    known = {help.name for help in describe()}
    reader = EngineReader(said, known, problems)
    names = [*(name.lower() for name in parts(said.get("BACKENDS", ""))), *reader.named()]
    unsafe = unsafe_settings(file, environ, [prefix_of(name) for name in names])
    problems += [Problem(name=name, value=value, right=NO_FILTER) for name, value in unsafe]
    engines = [reader.engine(name) for name in dict.fromkeys(names)]
    fallbacks = reader.fallbacks()
    if problems or settings is None:
        raise SettingsError(*problems)
    used = tuple(engine for engine in engines if engine)
    kinds = {prefix_of(name): name for name in fallbacks} | {prefix_of(engine.name): engine.kind for engine in used}
    strays = stray_settings(file, known | {*ALIASES}, kinds, options_known())
    return settings.model_copy(
        update={"engines": used, "fallback_options": fallbacks, "warnings": (*unreadable, *strays)}
    )
