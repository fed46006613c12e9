"""Settings read again while Easel works: what is taken up, what has to wait, and what changes nothing."""

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.source import SettingsSource
from config import group_types
from generation.errors import LimitReached
from settings.engines import BackendSettings
from settings.web import LOOPBACK_NETWORKS
from tests.api.conftest import Site, site_at
from tests.easel_process import processes
from tests.engines.openai_server import KEY, OpenAIServer
from tests.waiting import until

HERE = {"PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0", "PORT": "0"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as opened:
        environ = HERE | {"DATA_DIR": str(tmp_path)}
        opened.easel.source = SettingsSource(tmp_path / "settings.env", environ)
        root, level = logging.getLogger(), logging.getLogger().level
        before = list(root.handlers)
        yield opened
        for handler in set(root.handlers) - set(before):
            handler.close()
        root.handlers[:] = before
        root.setLevel(level)


@pytest.fixture
def write(site: Site, tmp_path: Path) -> Callable[..., None]:
    def write(**values: str) -> None:
        lines = [f"{name}={value}\n" for name, value in values.items()]
        (tmp_path / "settings.env").write_text("".join(lines))

    return write


def file_log() -> Any:
    return next(handler._target for handler in logging.getLogger().handlers if hasattr(handler, "_target"))


async def reloaded(site: Site) -> dict[str, Any]:
    answer = await site.client.post("/api/reload")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_limits_hold_at_once_and_the_answer_names_them(site: Site, write: Callable[..., None]):
    site.easel.queue.check_limits("api:mia", "sketch", more=5)
    write(MAX_WAITING_PER_USER="2", DAILY_BUDGET_USD="3")
    answer = await reloaded(site)
    assert answer["message"] == "Taken up: DAILY_BUDGET_USD, MAX_WAITING_PER_USER."
    with pytest.raises(LimitReached):
        site.easel.queue.check_limits("api:mia", "sketch", more=5)
    assert (await reloaded(site))["message"] == "No setting has changed."
    write()  # what is taken out of the file counts as its default again
    assert (await reloaded(site))["changed"] == ["DAILY_BUDGET_USD", "MAX_WAITING_PER_USER"]
    site.easel.queue.check_limits("api:mia", "sketch", more=5)


async def test_a_wrong_value_changes_nothing_and_each_is_named(site: Site, write: Callable[..., None]):
    write(MAX_WAITING_PER_USER="2", MAX_QUEUE_SIZE="many", GPU1_URL="ftp://x", BACKENDS="gpu1", LOG_LEVEL="DEBUG")
    answer = await reloaded(site)
    assert answer["changed"] == []
    assert any(line.startswith("MAX_QUEUE_SIZE=many: must be") for line in answer["wrong"])
    assert any(line.startswith("GPU1_URL=") for line in answer["wrong"])
    assert answer["message"].startswith("Nothing was changed, since some settings cannot be used:")
    site.easel.queue.check_limits("api:mia", "sketch", more=5)
    assert site.easel.registry.get("gpu1") is None
    # what only the parts themselves can tell: an engine that may not be at such an address, beside a good one
    write(MAX_WAITING_PER_USER="2", OPENAI_API_KEY=KEY, BACKENDS="other", OTHER_KIND="nonsense", OTHER_URL="http://x")
    assert any("OTHER_KIND" in line for line in (await reloaded(site))["wrong"])
    assert site.easel.registry.get("openai_images") is None
    site.easel.queue.check_limits("api:mia", "sketch", more=5)


async def test_what_needs_a_restart_is_named_until_there_is_one(site: Site, write: Callable[..., None]):
    write(CARD_STYLE="v2", MAX_QUEUE_SIZE="7", PORT="8000", SKETCH_DELAY_S="1")
    answer = await reloaded(site)
    assert answer["changed"] == ["MAX_QUEUE_SIZE"]
    assert answer["waiting"] == ["CARD_STYLE"]
    assert "After a restart: CARD_STYLE." in answer["message"]
    assert "PORT is set in the environment too, which wins." in answer["message"]
    assert (await reloaded(site))["waiting"] == ["CARD_STYLE"]


async def test_a_key_is_changed_without_a_restart_and_stands_in_no_word_and_no_log(
    site: Site, write: Callable[..., None], capfd: pytest.CaptureFixture[str]
):
    async with OpenAIServer() as server:
        registry = site.easel.registry
        there = {"OPENAI_IMAGES_URL": f"{server.url}/v1"}
        write(OPENAI_API_KEY="sk-wrong-987654321", **there)
        answer = await reloaded(site)
        assert answer["changed"] == ["OPENAI_API_KEY", "OPENAI_IMAGES_URL"]
        entry = registry.get("openai_images")
        assert entry
        assert entry.error
        assert entry.error.user_message in answer["message"]
        write(OPENAI_API_KEY=KEY, **there, WEBHOOK_SECRET="hush-hush-hush", LOG_LEVEL="INFO")
        answer = await reloaded(site)
        assert answer["changed"] == ["OPENAI_API_KEY", "WEBHOOK_SECRET"]
        entry = registry.get("openai_images")
        assert entry
        assert entry.error is None
        assert f"{entry.label} answers." in answer["message"]
        logging.getLogger("easel").error("said hush-hush-hush, %s and sk-wrong-987654321", KEY)
        heard = str(answer) + "".join(capfd.readouterr())
        assert "said ***, *** and ***" in heard
        assert not any(secret in heard for secret in (KEY, "sk-wrong", "hush-hush"))
        await site.easel.registry.refresh("openai_images")
        write(
            OPENAI_API_KEY=KEY,
            **there,
            OPENAI_IMAGES_CONCURRENCY="3",
            OPENAI_IMAGES_LABEL="Studio",
        )
        backend = entry.backend
        await reloaded(site)
        entry = registry.get("openai_images")
        assert entry
        assert entry.backend is backend  # not made again for that
        assert (entry.concurrency, entry.label) == (3, "Studio")
        write()
        await reloaded(site)
        assert registry.get("openai_images") is None


# What each setting that is marked ↻ comes to, read where it is used.
SEEN: dict[str, tuple[str, Callable[[Site], object], object]] = {
    "DAILY_BUDGET_USD": ("3", lambda s: s.easel.services.records.alerts.budget_usd, 3),
    "USER_DAILY_BUDGET_USD": ("2", lambda s: s.easel.services.money.budgets.settings.person_usd, 2),
    "SERVER_DAILY_BUDGET_USD": ("4", lambda s: s.easel.services.money.budgets.settings.server_usd, 4),
    "CONFIRM_ABOVE_USD": ("0.5", lambda s: s.easel.services.money.budgets.settings.confirm_above_usd, 0.5),
    "ASSUMED_PRICE_USD": ("0.2", lambda s: s.easel.services.money.budgets.settings.assumed_usd, 0.2),
    "MAX_QUEUE_SIZE": ("7", lambda s: s.easel.queue._limits.max_waiting, 7),
    "MAX_WAITING_PER_USER": ("2", lambda s: s.easel.queue._limits.max_waiting_per_user, 2),
    "MAX_RUNNING_PER_USER": ("3", lambda s: s.easel.queue._limits.max_running_per_user, 3),
    "MAX_CONCURRENT_JOBS": ("5", lambda s: s.easel.queue._limits.max_running, 5),
    "COOLDOWN": ("9s", lambda s: s.easel.queue._cooldown.seconds, 9),
    "MAX_WAIT": ("20m", lambda s: s.easel.queue._limits.max_wait_s, 1200),
    "ENGINE_PATIENCE": (
        "11s",
        lambda s: (s.easel.queue._lanes.patience_s, s.easel.queue._outcomes.policy.patience_s),
        (11, 11),
    ),
    "ALERT_SLOW": ("12s", lambda s: s.easel.services.records.alerts.limits.slow_s, 12),
    "ALERT_REFUSALS": ("3", lambda s: s.easel.services.records.alerts.limits.refusals, 3),
    "ALERT_ERROR_PERCENT": ("13", lambda s: s.easel.services.records.alerts.limits.error_percent, 13),
    "ALERT_COOLDOWN": ("14s", lambda s: s.easel.services.records.alerts.limits.cooldown_s, 14),
    "WEBHOOK_URL": ("https://hooks.example/x", lambda s: s.easel.web.webhooks._settings.url, "https://hooks.example/x"),
    "WEBHOOK_SECRET": ("word", lambda s: s.easel.web.webhooks._settings.secret, SecretStr("word")),
    "NSFW_FILTER_THRESHOLD": ("0.7", lambda s: s.easel.queue.screen._threshold, 0.7),
    "TEXT_ENGINE_URL": ("http://127.0.0.1:9", lambda s: s.easel.services.wording.text.is_on, True),
    "TEXT_ENGINE_MODEL": ("m", lambda s: s.easel.services.wording.text.engine.model, "m"),
    "TEXT_ENGINE_VISION_MODEL": ("v", lambda s: s.easel.services.wording.text.engine.vision_model, "v"),
    "TEXT_ENGINE_TIMEOUT": ("15s", lambda s: s.easel.services.wording.text._limit_s, 15),
    "TEXT_ENGINE_CONCURRENCY": ("6", lambda s: s.easel.services.wording.text._turns._value, 6),
    "TEXT_ENGINE_USD_IN": ("1", lambda s: s.easel.services.wording.text._prices.usd_in, 1),
    "TEXT_ENGINE_USD_OUT": ("2", lambda s: s.easel.services.wording.text._prices.usd_out, 2),
    "GPU_REMINDER": ("16m", lambda s: s.easel.services.upkeep.rentals.settings.reminder_s, 960),
    "GPU_AUTO_STOP": ("17m", lambda s: s.easel.services.upkeep.rentals.settings.auto_stop_s, 1020),
    "RUNPOD_API_KEY": ("rk", lambda s: s.easel.services.upkeep.rentals.machines.has_providers, True),
    "VAST_API_KEY": ("vk", lambda s: len(s.easel.services.upkeep.rentals.machines._providers), 2),
    "LOG_DIR": ("logs", lambda s: len([h for h in logging.getLogger().handlers if hasattr(h, "_target")]), 1),
    "LOG_MAX_MB": ("2", lambda s: file_log().maxBytes, 2 * 1024**2),
    "LOG_KEEP": ("3", lambda s: file_log().backupCount, 3),
    "LOG_LEVEL": ("WARNING", lambda s: logging.getLogger().level, logging.WARNING),
    "WEB_ADMINS": ("77", lambda s: s.easel.web.access._admins, {"discord:77"}),
    "DISCORD_CLIENT_ID": ("5", lambda s: s.easel.web.sign_in._settings.client_id, "5"),
    "DISCORD_CLIENT_SECRET": ("cs", lambda s: s.easel.web.sign_in.is_available, True),
    "COMPAT_BASE64": ("true", lambda s: s.web.settings.compat_base64, True),
    "WEB_CONNECTIONS": ("99", lambda s: s.web.settings.connections, 99),
    "WEB_CONNECTIONS_PER_ADDRESS": ("8", lambda s: s.web.settings.connections_per_address, 8),
    "REPLICATE_WEBHOOK_SECRET": (
        "whsec_eA==",
        lambda s: s.web.settings.replicate_webhook_secret.get_secret_value(),
        "whsec_eA==",
    ),
    "IMAGE_CDN_URL": ("https://cdn.example", lambda s: s.web.settings.image_cdn_url, "https://cdn.example"),
    "MAX_UPLOAD_MB_PER_USER": ("18", lambda s: s.easel.web.uploads.quota_mb, 18),
    "ALLOWED_BACKEND_HOSTS": (
        "a.example",
        lambda s: s.easel.services.connections._policy.allowed_hosts,
        ("a.example",),
    ),
    "ADMIN_CHANNEL_ID": ("19", lambda s: s.easel.settings.discord.admin_channel_id, "19"),
}
# shown by tests of their own here, or read together with one of the list
ELSEWHERE = {"BACKENDS", "LOG_FORMAT", "ENABLE_NSFW_FILTER", "TEXT_ENGINE_KEY"} | {
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
}


async def test_every_setting_that_is_marked_is_taken_up(site: Site, write: Callable[..., None]):
    write(**{name: value for name, (value, *__) in SEEN.items()})
    answer = await reloaded(site)
    assert answer["waiting"] == []
    assert set(answer["changed"]) == set(SEEN)
    for name, (__, seen, expected) in SEEN.items():
        assert seen(site) == expected, name
    assert marked() == set(SEEN) | ELSEWHERE


def marked() -> set[str]:
    from settings.reading.words import help_of

    groups = [group for group in group_types().values() if group is not BackendSettings]
    return {setting.name for group in groups for setting in help_of(group, {"ports": ""}) if setting.is_live}


async def test_the_server_lets_in_as_many_as_the_settings_say_now(site: Site, write: Callable[..., None]):
    from api.connections import ConnectionLimits
    from api.server import WebServer

    site.door._server = WebServer(site.app, [], ConnectionLimits(shared=LOOPBACK_NETWORKS))
    write(WEB_CONNECTIONS="20", WEB_CONNECTIONS_PER_ADDRESS="8", COMPAT_BASE64="true")
    await reloaded(site)
    limits = site.door._server.connections.limits
    assert (limits.total, limits.per_address) == (20, 8)
    assert site.app.state.web.settings.compat_base64


async def test_a_filter_is_on_at_once_and_refused_where_nothing_could_look(
    site: Site, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("config._unchecked", lambda *_: ())
    write(ENABLE_NSFW_FILTER="true")
    assert any("ENABLE_NSFW_FILTER" in line for line in (await reloaded(site))["wrong"])
    site.easel.check = object()  # type: ignore[assignment]
    assert (await reloaded(site))["changed"] == ["ENABLE_NSFW_FILTER"]
    assert site.easel.queue.screen._always is not None
    site.easel.check = None


async def test_only_admins_may(site: Site):
    program = await site.key_client("read", "generate")
    assert (await program.post("/api/reload")).status_code == 403
    admin = await site.key_client("admin")
    assert "There is no .env in the folder" in (await admin.post("/api/reload")).json()["message"]


async def test_a_signal_reads_the_file_again(tmp_path: Path):
    async with processes(tmp_path) as begin:
        easel = begin("start", WEB="true", PORT="0", PROBE_LOCAL_PORTS="false", GRACEFUL_STOP="0")
        log = tmp_path / "log"
        await until(lambda: log.exists() and "http://127.0.0.1" in log.read_text(), limit_s=20)
        (tmp_path / ".env").write_text("MAX_QUEUE_SIZE=7\n")
        easel.send_signal(signal.SIGHUP)
        await until(lambda: "Taken up: MAX_QUEUE_SIZE." in log.read_text(), limit_s=20)


async def test_a_hangup_of_the_terminal_stops(monkeypatch: pytest.MonkeyPatch):
    import asyncio

    from utils.signals import reload_on_signal

    called: list[str] = []

    async def reload() -> None:
        called.append("reload")

    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    terminal = [True]
    monkeypatch.setattr("os.isatty", lambda _: terminal[0])
    try:
        signal.signal(signal.SIGTERM, lambda *_: called.append("stop"))
        reload_on_signal(reload, asyncio.get_running_loop())
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: called == ["reload"])
        terminal[0] = False
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: called == ["reload", "stop"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
