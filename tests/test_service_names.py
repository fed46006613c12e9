"""Hosted services by the names that people know their settings by."""

from tests.test_config import engines_of, settings_of


def test_the_names_that_a_service_is_known_by_are_understood_and_ours_win():
    (engine,) = engines_of(OPENAI_API_KEY="sk-1", OPENAI_ORG_ID="org-1")
    assert (engine.name, engine.key.get_secret_value()) == ("openai_images", "sk-1")
    assert engine.options == {"organization": "org-1"}
    (both,) = engines_of(OPENAI_API_KEY="sk-1", OPENAI_IMAGES_KEY="sk-2", OPENAI_BASE_URL="http://127.0.0.1:8080/v1")
    assert (both.key.get_secret_value(), both.url) == ("sk-2", "http://127.0.0.1:8080/v1")


def test_an_engine_that_is_switched_off_is_not_used_and_known():
    settings = settings_of(OPENAI_API_KEY="sk-1", DALLE_ENABLED="false")
    assert settings.engines.configured == ()
    assert [engine.name for engine in settings.engines.off] == ["openai_images"]
    assert settings_of(BACKENDS="gpu1", GPU1_KIND="sketch", GPU1_ENABLED="no").engines.configured == ()


def test_the_other_services_have_their_names_too():
    (engine,) = engines_of(STABILITY_API_KEY="sk-1")
    assert (engine.name, engine.key.get_secret_value(), engine.options) == ("stability", "sk-1", {})
    assert engines_of(STABILITY_API_KEY="sk-1", STABILITY_ENABLED="false") == ()
    (engine,) = engines_of(BFL_API_KEY="bfl-1")
    assert (engine.name, engine.key.get_secret_value(), engine.options) == ("bfl", "bfl-1", {})
    (engine,) = engines_of(FAL_KEY="fal-1")
    assert (engine.name, engine.key.get_secret_value(), engine.options) == ("fal", "fal-1", {})
    (engine,) = engines_of(GEMINI_API_KEY="AIza-1")
    assert (engine.name, engine.key.get_secret_value(), engine.options) == ("gemini", "AIza-1", {})
    (engine,) = engines_of(REPLICATE_API_TOKEN="r8-1", REPLICATE_WEBHOOK_SECRET="whsec_YWJj")
    assert (engine.name, engine.key.get_secret_value(), engine.options) == ("replicate", "r8-1", {})
    assert engines_of(REPLICATE_API_TOKEN="r8-1", REPLICATE_ENABLED="false") == ()
