import io
import json
import logging

import pytest

from utils.logger import clean, setup_logging

SECRET = 'top "hush"/key'


def logged(fmt: str, level: str = "INFO") -> tuple[io.StringIO, logging.Logger]:
    stream = io.StringIO()
    setup_logging(level, fmt, [SECRET], stream)
    return stream, logging.getLogger("test")


def test_text_is_a_sentence_and_its_fields():
    stream, log = logged("text")
    log.info("job finished", extra={"action": "job_finished", "job": "3f9a12", "seconds": 14.2})
    assert stream.getvalue().endswith(" INFO job finished · action=job_finished job=3f9a12 seconds=14.2\n")


def test_json_is_one_object_a_line():
    stream, log = logged("json")
    log.warning("lane paused", extra={"backend": "gpu1", "seconds": 2.0})
    value = json.loads(stream.getvalue())
    assert value.pop("time").endswith("+00:00")
    expected = {"level": "WARNING", "logger": "test", "message": "lane paused", "backend": "gpu1", "seconds": 2.0}
    assert value == expected


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_secrets_are_left_out_everywhere(fmt: str):
    stream, log = logged(fmt)
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        log.exception("asked with %s", SECRET, extra={"key": SECRET})
    assert "hush" not in stream.getvalue()
    assert stream.getvalue().count("***") >= 3
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("GET http://me:pa55word@gpu:7860/x failed", "pa55word"),
        ("GET http://pa55word@gpu:7860/x failed", "pa55word"),
        ("GET http://me:pa@55word@gpu:7860/x failed", "55word"),
        ("headers {'Authorization': 'Bot abc.def.ghi'}", "abc.def.ghi"),
        ("Authorization: Basic bWU6cGFzcw==", "bWU6cGFzcw"),
        ("POST /interactions/123/aW50ZXJhY3Rpb246MTIzNDU2Nzg5MA/callback", "aW50ZXJhY3Rpb24"),
        ("PATCH /webhooks/123/aW50ZXJhY3Rpb246MTIzNDU2Nzg5MA/messages/@original", "aW50ZXJhY3Rpb24"),
        ("{'op': 2, 'd': {'token': 'abc.def.ghi', 'x': 1}}", "abc.def.ghi"),
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str, gone: str):
    assert gone not in clean(text)
    assert "***" in clean(text)


def test_ordinary_text_stays():
    text = "12 tokens a minute at http://gpu:7860/a@b, interaction 123"
    assert clean(text) == text


def test_noisy_libraries_are_quiet_unless_they_warn():
    stream, _ = logged("text", "DEBUG")
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("aiosqlite").debug("executing")
    assert stream.getvalue() == ""
    logging.getLogger("httpx").warning("odd")
    assert "odd" in stream.getvalue()


def test_a_second_setup_replaces_the_first():
    logged("text")
    stream, log = logged("text")
    log.info("once")
    assert stream.getvalue().count("once") == 1


def test_what_would_steer_a_terminal_is_not_logged():
    assert clean("a\x1b[2Jb\x07\x9b31m\tc\nd\ud800") == "a?[2Jb??31m\tc\nd?"
