"""What each kind of engine is called, where it is asked first, and what its owner may do when it does not answer.

Sources: the engines' own servers as recorded (`tests/data`), and the public addresses of the AI Horde and the Grid.
"""

from dataclasses import dataclass
from typing import Final

import httpx

from backends.base import BackendConfig
from backends.http import BearerAuth, key_auth
from constants import AI_HORDE_URL, AIPOWERGRID_URL

HORDE_ANONYMOUS_KEY: Final = "0000000000"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of engine is tested. Paths are below the address without the ends in `cut`."""

    title: str
    path: str  # answers at every server of this kind
    models_path: str = ""  # a list, one item a model
    account_path: str = ""  # answers only a key that is known
    public_url: str = ""  # used where no address is given
    cut: tuple[str, ...] = ()  # ends of an address that people type too
    port: int = 443
    start_hint: str = "Start it, and check the port in the address."
    key_hint: str = "Connect again with the user:password or token of the proxy in front of it."
    no_models: str = "has no models."
    no_models_hint: str = "Put a checkpoint into its models folder and test again."


KINDS: Final = {
    "a1111": Kind(
        title="Automatic1111 or Forge",
        path="/sdapi/v1/sd-models",
        models_path="/sdapi/v1/sd-models",
        port=7860,
        start_hint="Start it with --api --listen, and check the port in the address.",
        key_hint="Connect again with the user:password of --api-auth as the key.",
    ),
    "comfyui": Kind(
        title="ComfyUI",
        path="/system_stats",
        port=8188,
        start_hint="Start it with --listen, and check the port in the address.",
    ),
    "gradio_flux": Kind(
        title="a Flux gradio app",
        path="/config",
        port=7860,
        start_hint="Start the app in Pinokio; its page shows its address and port.",
        key_hint="Connect again with the user:password of the app as the key.",
    ),
    "ai_horde": Kind(
        title="an AI Horde",
        path="/api/v2/status/heartbeat",
        models_path="/api/v2/status/models?type=image&min_count=1",
        account_path="/api/v2/find_user",
        public_url=AI_HORDE_URL,
        cut=("/v2", "/api"),
        key_hint="Connect again with your own key of the Horde, or with none to draw anonymously.",
        no_models="no worker draws there now.",
        no_models_hint="Try again in a few minutes.",
    ),
    "aipowergrid": Kind(
        title="the AI Power Grid",
        path="/health",
        models_path="/v1/status/models",
        account_path="/v1/account/credits",
        public_url=AIPOWERGRID_URL,
        cut=("/v1", "/v2", "/api"),
        key_hint="Connect again with a key from its console; it begins with grid_.",
        no_models="no worker draws there now.",
        no_models_hint="Try again in a few minutes.",
    ),
}
UNKNOWN: Final = Kind(title="that kind of engine", path="/")


def kind_of(name: str) -> Kind:
    """Return what is known of a kind; engines of other packages are only looked at from outside."""
    return KINDS.get(name, UNKNOWN)


def public_url(kind: str) -> str:
    """Return the address to use where none is given; empty if one must be."""
    return kind_of(kind).public_url


def headers_and_auth(config: BackendConfig) -> tuple[dict[str, str], httpx.Auth | None]:
    """Return how this kind of engine wants its key; an app of gradio is logged in to instead."""
    if config.kind == "ai_horde":
        return {"apikey": config.key or HORDE_ANONYMOUS_KEY}, None
    if config.kind == "aipowergrid":
        return {}, BearerAuth(config.key) if config.key else None
    if wants_login(config):
        return {}, None
    return {}, key_auth(config.key)


def wants_login(config: BackendConfig) -> bool:
    return config.kind == "gradio_flux" and ":" in config.key
