import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from backends.kind import EngineKind
from backends.kinds import kind_of, kind_typed, known_kinds
from config import Settings, describe, read_settings
from settings.engines import BackendSettings
from settings.reading.problems import Problem, SettingsError

ROOT = Path(__file__).parent.parent
NOWHERE = Path("/nonexistent/.env")


def settings_of(**environ: str) -> Settings:
    return read_settings(NOWHERE, environ)


def engines_of(**environ: str) -> tuple[BackendSettings, ...]:
    return settings_of(**environ).engines.configured


def problems_of(**environ: str) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as caught:
        read_settings(NOWHERE, environ)
    return {problem.name: problem for problem in caught.value.problems}


def test_nothing_said_gives_the_defaults():
    settings = settings_of()
    assert settings.discord.token.get_secret_value() == ""
    queue, storage = settings.queue, settings.storage
    assert (queue.max_waiting, queue.max_waiting_per_user, queue.max_running_per_user) == (100, 20, 2)
    assert (queue.job_timeout_s, storage.media_ttl_s, queue.cooldown_s) == (300.0, 86400.0, 0.0)
    assert (storage.media_folder, settings.engines.configured) == (Path("data/media_cache"), ())


def test_the_environment_wins_over_the_file(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text("MAX_QUEUE_SIZE=5\nCOMMAND_PREFIX=?\n")
    settings = read_settings(env, {"MAX_QUEUE_SIZE": "7"})
    assert (settings.queue.max_waiting, settings.discord.prefix) == (7, "?")


def test_a_file_from_windows_is_read(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_bytes(b"\xef\xbb\xbfCOMMAND_PREFIX=?\r\nLOG_LEVEL=debug\r\n")
    settings = read_settings(env, {})
    assert (settings.discord.prefix, settings.logs.level) == ("?", "DEBUG")


def test_a_file_that_is_no_text_is_named(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_bytes("LOG_LEVEL=DEBUG".encode("utf-16"))
    with pytest.raises(SettingsError, match="UTF-8"):
        read_settings(env, {})


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [("300000", 300.0), ("300", 300.0), ("999", 999.0), ("1000", 1.0), ("5m", 300.0), ("300s", 300.0), ("2 h", 7200.0),
     ("1500ms", 1.5), ("1.5m", 90.0)],
)  # fmt: skip
def test_job_timeout_is_read_in_every_unit(reply: str, seconds: float):
    assert settings_of(JOB_TIMEOUT=reply).queue.job_timeout_s == seconds


@pytest.mark.parametrize(("reply", "seconds"), [("24h", 86400.0), ("90m", 5400.0), ("7200", 7200.0), ("7d", 604800.0)])
def test_media_ttl_is_read_in_every_unit(reply: str, seconds: float):
    assert settings_of(MEDIA_TTL=reply).storage.media_ttl_s == seconds


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MAX_QUEUE_SIZE", "many", "a whole number, 1 to 100000"),
        ("MAX_QUEUE_SIZE", "0", "a whole number, 1 to 100000"),
        ("MAX_RUNNING_PER_USER", "1.5", "a whole number, 1 to 1000"),
        ("COOLDOWN", "-3", "a time from 0s to 24h, like 90s, 5m or 24h"),
        ("JOB_TIMEOUT", "forever", "a time from 1s to 24h, like 90s, 5m or 24h"),
        ("MEDIA_TTL", "0", "a time from 1s to 720h, like 90s, 5m or 24h"),
        ("PROBE_LOCAL_PORTS", "perhaps", "true or false"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("DISCORD_API_URL", "discord.com", "an address like https://discord.com/api/v10"),
        ("DISCORD_GUILD_IDS", "my-server", "server ids, like 123,456"),
        ("COMMAND_PREFIX", "easel: ", "1 to 5 characters"),
        ("WEB_ADMINS", "ada", "Discord user ids, like 123,456"),
        ("DISCORD_CLIENT_ID", "easel", "a number"),
        ("WEBHOOK_URL", "hooks.example", "an address like https://hooks.example/easel"),
    ],
)
def test_a_bad_value_names_variable_value_and_what_would_be_right(name: str, value: str, expected: str):
    problem = problems_of(**{name: value})[name]
    assert str(problem) == f"{name}={value.strip()}: must be {expected}"


def test_all_bad_values_are_named_at_once():
    names = problems_of(
        MAX_QUEUE_SIZE="x", LOG_LEVEL="x", BACKENDS="gpu1", GPU1_KIND="a1111", GPU1_CONCURRENCY="0", GPU1_KEY="k"
    )
    assert set(names) == {"MAX_QUEUE_SIZE", "LOG_LEVEL", "GPU1_URL", "GPU1_CONCURRENCY"}
    assert str(names["GPU1_URL"]) == "GPU1_URL is missing: must be an address like http://127.0.0.1:7860"


def test_a_variable_that_counts_for_two_settings_is_named_once():
    with pytest.raises(SettingsError) as caught:
        settings_of(DISCORD_GUILD_IDS="my-server")
    assert [problem.name for problem in caught.value.problems] == ["DISCORD_GUILD_IDS"]


def test_each_variable_is_read_by_one_setting_or_is_its_fallback():
    own = [setting.name for group in describe().values() for setting in group]
    assert len(own) == len({*own})
    people = settings_of(DISCORD_GUILD_IDS="5, 6").people.guild_ids
    assert (people, settings_of(DISCORD_GUILD_IDS="5", WEB_ALLOWED_GUILDS="7").people.guild_ids) == ({"5", "6"}, {"7"})


def test_other_values_are_checked_as_those_that_are_read():
    settings = settings_of(MAX_WAIT="1h").changed(queue={"max_waiting": 7})
    assert (settings.queue.max_waiting, settings.queue.max_wait_s, settings.web) == (7, 3600.0, settings_of().web)
    with pytest.raises(ValidationError):
        settings.changed(queue={"max_waiting": 0})
    with pytest.raises(ValidationError):
        settings.changed(queue={"max_waitng": 7})


def test_an_address_with_a_password_in_it_is_told_where_that_goes():
    names = problems_of(
        A1111_URL="http://me:s3cret@127.0.0.1:7860",
        BACKENDS="gpu1", GPU1_KIND="comfyui", GPU1_URL="http://me:s3cret@gpu:8188",
        PUBLIC_URL="https://me:s3cret@easel.example",
    )  # fmt: skip
    where = "must be an address like http://127.0.0.1:7860, without user:password@ in it (those go into"
    assert str(names["A1111_URL"]) == f"A1111_URL=http://***@127.0.0.1:7860: {where} A1111_KEY)"
    assert str(names["GPU1_URL"]) == f"GPU1_URL=http://***@gpu:8188: {where} GPU1_KEY)"
    assert str(names["PUBLIC_URL"]).endswith("like https://easel.example.org, without user:password@ in it")


def test_repr_and_errors_hide_secrets():
    reply = {"DISCORD_TOKEN": "tok-en", "SECRET_KEY": "s3cret", "A1111_URL": "http://gpu:1", "A1111_KEY": "me:pass"}
    settings = settings_of(**reply)
    shown = f"{settings!r} {settings} {settings.engines!r}"
    assert not any(secret in shown for secret in ("tok-en", "s3cret", "me:pass", "http://gpu"))
    assert settings.secrets() == ("tok-en", "s3cret", "me:pass")
    with pytest.raises(SettingsError) as caught:
        settings_of(**reply, MAX_QUEUE_SIZE="x")
    assert "s3cret" not in str(caught.value)


def test_engines_come_from_their_names():
    gpu, grid = engines_of(
        BACKENDS="GPU1, my-grid",
        GPU1_KIND="A1111",
        GPU1_URL="https://gpu.example/ ",
        GPU1_KEY="k",
        GPU1_LABEL="The big one",
        GPU1_CONCURRENCY="2",
        GPU1_RATE_PER_MINUTE="7.5",
        GPU1_RECOVER="always",
        MY_GRID_KIND="sketch",
    )
    assert (gpu.name, gpu.kind, gpu.url, gpu.label) == ("gpu1", "a1111", "https://gpu.example", "The big one")
    assert (gpu.concurrency, gpu.rate_per_minute, gpu.options) == (2, 7.5, {"recover": "always"})
    assert (grid.name, grid.kind, grid.options) == ("my-grid", "sketch", {})


def test_a_lone_address_makes_its_engine():
    (engine,) = engines_of(A1111_URL="http://127.0.0.1:7860")
    assert (engine.name, engine.kind) == ("a1111", "a1111")
    both = engines_of(BACKENDS="sketch", A1111_URL="http://127.0.0.1:7860")
    assert [engine.name for engine in both] == ["sketch", "a1111"]


def test_each_engine_of_the_page_is_made_and_connected_by_the_names_there():
    page = (ROOT / "docs/backends/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(\w+\.md\) \|.+\|.+\| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert {kind for kind, _, _ in rows} == {path.stem for path in (ROOT / "docs/backends").glob("*.md")} - {"README"}
    for kind, variables, types in rows:
        for name in re.findall("`(.+?)`", variables):
            value = "http://127.0.0.1:7860" if name.endswith("_URL") else "grid_x"
            assert [engine.kind for engine in engines_of(**{name: value})] == [kind], name
        for item in re.findall("`(.+?)`", types):
            assert kind_typed(item) == kind_of(kind)


def test_a_name_that_cannot_be_one_is_refused():
    assert problems_of(BACKENDS="my gpu")["BACKENDS"].value == "my gpu"


def test_an_address_with_a_password_in_it_is_refused():
    assert "GPU1_URL" in problems_of(BACKENDS="gpu1", GPU1_KIND="a1111", GPU1_URL="http://me:pass@gpu:7860")


ADDRESSES = [
    "http://user:pa55w0rd@host", "https://user:pa55w0rd@host:7860/x", "user:pa55w0rd@host", "http://pa55w0rd@host",
    "http://user:p/pa55w0rd@host", "http://user:p@pa55w0rd@host", "ftp://user:pa55w0rd@host", "http:/u:pa55w0rd@host",
    "http://host/a b?token=pa55w0rd", "https://ok.example, http://u:pa55w0rd@host", "http://u:pa,pa55w0rd@host",
    "//user:pa55w0rd@host", "http://us er:pa55w0rd@host", "http://user:pa55w0rd b@host",
    "ok@x, http://u:pa55w0rd c@host",
    "http://host/x?a=b c&d=pa55w0rd",
]  # fmt: skip
EVERY_SETTING = [
    *(setting.name for group in describe().values() for setting in group),
    "A1111_URL", "COMFYUI_URL", "AI_HORDE_URL", "GPU1_CONCURRENCY", "GPU1_LABEL", "GPU1_KIND", "GPU1_RATE_PER_MINUTE",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_with_a_password_is_never_shown(address: str, tmp_path: Path):
    env = tmp_path / ".env"

    def shown_of(name: str) -> str:
        env.write_text(f"BACKENDS=gpu1\nGPU1_KIND=sketch\n{name}='{address}'\n{address}\n{address}=1\n")
        try:
            return "\n".join(read_settings(env, {}).warnings)
        except SettingsError as error:
            return f"{error} {[problem.value for problem in error.problems]}"

    assert [name for name in EVERY_SETTING if "pa55w0rd" in shown_of(name)] == []


def test_where_a_webhook_is_posted_is_shown_without_its_token():
    problem = problems_of(WEBHOOK_URL="htps://discord.com/api/webhooks/123/t0ken")["WEBHOOK_URL"]
    assert problem.value == "htps://discord.com/***"


def test_lines_of_the_file_that_cannot_be_read_are_named_by_number(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text('# fine\nPORT=1234\n\nPORT 8484\nDISCORD_TOKEN="abc\nexport LOG_LEVEL=DEBUG\n=5\nWEB\nA-1111=x\n')
    settings = read_settings(env, {})
    why = "cannot be read, so it is ignored. It must be NAME=value, quotes closed."
    assert [warning for warning in settings.warnings if "Line" in warning] == [
        f"Line 4 of .env {why}",
        f"Line 5 of .env (DISCORD_TOKEN) {why}",
        f"Line 7 of .env {why}",
        f"Line 8 of .env {why}",
    ]
    assert (settings.web.port, settings.logs.level) == (1234, "DEBUG")


def test_names_in_the_file_that_are_not_ours_are_named_with_the_nearest(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text("MAX_QUEU_SIZE=5\nGPU2_URL=http://x\nSKETCH_DELAY_S=0\nFOO_BAR=1\nGPU1_ODD=1\nBACKENDS=gpu1\n"
                   "GPU1_KIND=sketch\n")  # fmt: skip
    assert read_settings(env, {"ANYTHING": "else"}).warnings == (
        "MAX_QUEU_SIZE in .env is not a setting of Easel. Did you mean MAX_QUEUE_SIZE?",
        "GPU2_URL in .env belongs to an engine that is not used: add gpu2 to BACKENDS.",
        "FOO_BAR in .env is not a setting of Easel.",
        "GPU1_ODD in .env is not a setting of a sketch engine.",
    )


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        (
            "A1111_URL=http://127.0.0.1:7860\nA1111_RECOVRE=always\n",
            "A1111_RECOVRE in .env is not a setting of an a1111 engine. Did you mean A1111_RECOVER?",
        ),
        ("A1111_RECOVRE=always\n", "A1111_RECOVRE in .env is not a setting of Easel. Did you mean A1111_RECOVER?"),
        ("COMFYUI_PREVEIW=none\n", "COMFYUI_PREVEIW in .env is not a setting of Easel. Did you mean COMFYUI_PREVIEW?"),
        ("COMFY_UI_URL=http://x\n", "COMFY_UI_URL in .env belongs to an engine that is not used: add comfy_ui to "
         "BACKENDS. Or did you mean COMFYUI_URL?"),
        (
            "BACKENDS=my-horde\nMY_HORDE_KIND=ai_horde\nMY_HORDE_WORKER=1\n",
            "MY_HORDE_WORKER in .env is not a setting of an ai_horde engine. Did you mean MY_HORDE_WORKERS?",
        ),
        (
            "BACKENDS=gpu1\nGPU1_KIND=comfyui\nGPU1_URL=http://127.0.0.1:1\nGPU1_CONCURENCY=2\n",
            "GPU1_CONCURENCY in .env is not a setting of a comfyui engine. Did you mean GPU1_CONCURRENCY?",
        ),
    ],
)  # fmt: skip
def test_a_slip_in_a_setting_of_any_engine_is_named(lines: str, warning: str, tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text(lines)
    assert read_settings(env, {}).warnings == (warning,)


@pytest.mark.parametrize("line", ["GPU1_DELAY_S=0", "GPU1_KEY=x"])
def test_settings_that_a_kind_reads_are_no_slips(line: str, tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text(f"BACKENDS=gpu1\nGPU1_KIND=sketch\n{line}\n")
    assert read_settings(env, {}).warnings == ()


@pytest.mark.parametrize("kind", known_kinds(), ids=lambda kind: kind.name)
def test_a_slip_in_a_setting_of_each_kind_is_named(kind: EngineKind, tmp_path: Path):
    env = tmp_path / ".env"
    expected = f"G_{kind.options[0].name.upper()}"
    env.write_text(f"BACKENDS=g\nG_KIND={kind.name}\nG_URL=http://h\n{expected}X=1\n")
    (warning,) = read_settings(env, {}).warnings
    assert warning.startswith(f"{expected}X in .env is not a setting of ")
    assert warning.endswith(f" {kind.name} engine. Did you mean {expected}?")


@pytest.mark.parametrize("kind", known_kinds(), ids=lambda kind: kind.name)
def test_the_page_of_each_kind_names_what_it_reads_with_its_default(kind: EngineKind):
    page = (ROOT / "docs/backends" / f"{kind.name}.md").read_text()
    rows = dict(re.findall(r"^\| `[A-Z0-9]+?_([A-Z0-9_]+)`(?:, `[^|]+`)? \| (.+?) \|", page, re.MULTILINE))
    for option in kind.options:
        assert option.name.upper() in page
        if shown := rows.get(option.name.upper()):
            assert shown.replace("`", "") == option.default or (shown == "none" and not option.default)
    shown = set(re.findall(r"`(?:GPU1|HORDE|GRID|FLUX)_([A-Z0-9_]+)`", page))
    assert {name.lower() for name in shown} - BackendSettings.model_fields.keys() <= {
        option.name for option in kind.options
    }


def test_another_system_s_name_for_a_setting_is_understood_and_ours_wins():
    assert settings_of(IMAGE_STORAGE_PATH="/srv/pictures").storage.media_cache_dir == Path("/srv/pictures")
    both = settings_of(IMAGE_STORAGE_PATH="/srv/pictures", MEDIA_CACHE_DIR="here")
    assert both.storage.media_cache_dir == Path("here")


def test_settings_of_other_systems_are_answered_for_one_by_one(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text(
        "TRANSFORMERS_CACHE=/home/sk-1\nMODEL_PATH=/models\nCUDA_VISIBLE_DEVICES=0\nIMAGE_STORAGE_PATH=/pictures\n"
    )
    settings = read_settings(env, {"HF_HOME": "/hub"})
    (first,) = settings.warnings
    assert first.startswith("TRANSFORMERS_CACHE in .env is not a setting of Easel. It is an old name: set HF_HOME")
    assert "sk-1" not in first
    assert settings.engines.fallback_options["embedded"] == {
        "models": "/models", "visible_devices": "0", "hf_home": "/hub",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "setting", "value", "expected"),
    [
        ("a1111", "MAX_SIDE", "lots", "a whole number, 64 to 100000"),
        ("a1111", "MAX_BATCH", "0", "a whole number, 1 to 100"),
        ("a1111", "RECOVER", "sometimes", "auto, always or never"),
        ("a1111", "SOFT_INPAINTING", "maybe", "yes or no"),
        ("comfyui", "FAMILY", "sdx", "sd15, sdxl, sd3, flux or schnell"),
        ("comfyui", "PREVIEW", "latent", "auto, latent2rgb, none or taesd"),
        ("gradio_flux", "MAX_SIDE", "1e3", "a whole number, 64 to 100000"),
        ("ai_horde", "NSFW", "on please", "yes or no"),
        ("aipowergrid", "OUTPUT_FORMAT", "gif", "webp, png or jpeg"),
        ("openai_images", "PARTIAL_IMAGES", "4", "a whole number, 0 to 3"),
        ("stability", "EDIT_MODEL", "core", "sd3.5-large, sd3.5-large-turbo, sd3.5-medium or ultra"),
        ("bfl", "OUTPUT_FORMAT", "webp", "png or jpeg"),
        ("fal", "OUTPUT_FORMAT", "webp", "png or jpeg"),
        ("gemini", "IMAGE_SIZE", "8K", "auto, 512, 1K, 2K or 4K"),
        ("replicate", "OUTPUT_FORMAT", "gif", "png, webp or jpeg"),
        ("sketch", "DELAY_S", "slow", "a number of seconds, 0 to 60"),
    ],
)
def test_an_option_that_its_engine_cannot_read_is_told_like_any_setting(kind, setting, value, expected):
    reply = {"BACKENDS": "gpu1", "GPU1_KIND": kind, "GPU1_URL": "http://127.0.0.1:7860", f"GPU1_{setting}": value}
    problem = problems_of(**reply)[f"GPU1_{setting}"]
    assert str(problem) == f"GPU1_{setting}={value}: must be {expected}"


def test_an_option_of_the_built_in_engine_is_told_too():
    assert problems_of(SKETCH_DELAY_S="-1")["SKETCH_DELAY_S"].allowed == "a number of seconds, 0 to 60"


@pytest.mark.parametrize("kind", known_kinds(), ids=lambda kind: kind.name)
def test_every_choice_of_an_option_is_taken(kind: EngineKind):
    for option in kind.options:
        values = {"switch": ("yes", "NO", "on", "0"), "choice": option.choices, "number": (f"{option.low:g}",)}
        for value in values.get(option.type, ()):
            settings_of(BACKENDS="g", G_KIND=kind.name, G_URL="http://h", **{f"G_{option.name.upper()}": value})


def test_a_gradio_app_is_looked_for_on_this_machine_where_no_address_is_set():
    assert [engine.url for engine in engines_of(BACKENDS="flux", FLUX_KIND="gradio_flux")] == [""]


@pytest.mark.parametrize(("typed", "kind"), [("forge", "a1111"), ("Flux", "gradio_flux"), ("grid", "aipowergrid")])
def test_the_words_for_a_kind_are_understood_in_settings_too(typed, kind):
    (engine,) = engines_of(BACKENDS="gpu1", GPU1_KIND=typed, GPU1_URL="http://127.0.0.1:7860")
    assert engine.kind == kind


def test_an_engine_inside_this_process_needs_no_address():
    assert [engine.kind for engine in engines_of(BACKENDS="mine", MINE_KIND="sketch")] == ["sketch"]
    assert "MINE_URL" in problems_of(BACKENDS="mine", MINE_KIND="a1111")
