"""Settings that promise a filter: only one is there, and only with its packages."""

from pathlib import Path

import pytest

from backends.kind import CheckKind
from config import read_settings
from settings.reading.problems import SettingsError
from tests.fakes import FakeCheck
from tests.test_config import problems_of, settings_of


@pytest.mark.parametrize(
    "name", ["NSFW_FILTER", "ENABLE_SAFETY_CHECKER", "SAFETY_FILTER_ENABLED", "CONTENT_MODERATION"]
)
@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "strict"])
def test_a_filter_that_is_not_there_is_not_promised(tmp_path: Path, name: str, value: str):
    problem = str(problems_of(**{name: value})[name])
    assert problem.startswith(f"{name}={value}: must be false or left out, since Easel does not know it and would draw")
    assert "ENABLE_NSFW_FILTER=true" in problem
    assert f"GPU1_{name}" in problems_of(**{f"GPU1_{name}": value}, BACKENDS="gpu1", GPU1_KIND="sketch")
    env = tmp_path / ".env"
    env.write_text(f"{name}={value}\nGPU1_{name}={value}\n")
    with pytest.raises(SettingsError) as caught:
        read_settings(env, {})
    assert [item.name for item in caught.value.problems] == [name, f"GPU1_{name}"]


@pytest.mark.parametrize("value", ["true", "True", "1", "yes"])
def test_a_picture_check_without_its_packages_is_not_promised(value: str):
    problem = str(problems_of(ENABLE_NSFW_FILTER=value)["ENABLE_NSFW_FILTER"])
    assert problem.startswith(
        f"ENABLE_NSFW_FILTER={value}: must be false or left out, since what looks at pictures is not installed"
    )
    assert "`make run ART=1` installs it" in problem
    assert "GPU1_ENABLE_NSFW_FILTER" in problems_of(
        GPU1_ENABLE_NSFW_FILTER=value, BACKENDS="gpu1", GPU1_KIND="sketch"
    ), "it is for all engines"


def test_a_picture_check_with_its_packages_is_on(monkeypatch: pytest.MonkeyPatch):
    check = CheckKind(make=FakeCheck, is_there=lambda: True, absent_hint="")
    monkeypatch.setattr("config.picture_check", lambda: check)
    settings = settings_of(ENABLE_NSFW_FILTER="true", NSFW_FILTER_THRESHOLD="0.8")
    assert (settings.filter.is_on, settings.filter.threshold, settings.warnings) == (True, 0.8, ())
    assert not settings_of(NSFW_FILTER_THRESHOLD="0.3").filter.is_on
    assert "0.01 to 1" in str(problems_of(NSFW_FILTER_THRESHOLD="7")["NSFW_FILTER_THRESHOLD"])
    assert "ENABLE_NSFW_FILTER" in problems_of(ENABLE_NSFW_FILTER="strict")


@pytest.mark.parametrize("value", ["false", "0", "off", "No", ""])
def test_a_filter_that_is_switched_off_is_fine(value: str):
    assert settings_of(ENABLE_NSFW_FILTER=value, OTHER_CONTENT_FILTER="true").warnings == ()
