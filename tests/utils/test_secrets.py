"""Secrets are sealed with one key that only the owner can read, and are struck out of texts."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from utils.secrets import SecretBox, SecretLost, TimedTokens, make_private_file, redact


def test_a_sealed_text_can_be_unsealed_and_not_be_read():
    box = SecretBox(Fernet.generate_key())
    sealed = box.seal("hunter2 ✓")
    assert "hunter2" not in sealed
    assert box.unseal(sealed) == "hunter2 ✓"
    assert box.seal("hunter2 ✓") != sealed


@pytest.mark.parametrize("damage", [lambda token: token[:-4], lambda _: "", lambda _: "not a token ✓"])
def test_a_damaged_token_is_lost(damage):
    box = SecretBox(Fernet.generate_key())
    with pytest.raises(SecretLost):
        box.unseal(damage(box.seal("hunter2")))


def test_with_another_key_the_secret_is_lost_and_the_sentence_says_why():
    sealed = SecretBox(Fernet.generate_key()).seal("hunter2")
    with pytest.raises(SecretLost, match="the secret key is not the one it was sealed with"):
        SecretBox(Fernet.generate_key()).unseal(sealed)


def test_the_key_file_is_made_once_for_the_owner_only(tmp_path):
    path = tmp_path / "data" / "secret.key"
    sealed = SecretBox.open(path).seal("hunter2")
    assert SecretBox.open(path).unseal(sealed) == "hunter2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"


def test_all_who_begin_at_once_use_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(SecretBox.open, [tmp_path / "secret.key"] * 8))
    sealed = boxes[0].seal("hunter2")
    assert {box.unseal(sealed) for box in boxes} == {"hunter2"}


def test_a_file_system_without_hard_links_gets_a_key_too(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    sealed = SecretBox.open(tmp_path / "secret.key").seal("hunter2")
    assert SecretBox.open(tmp_path / "secret.key").unseal(sealed) == "hunter2"
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path):
    (tmp_path / "secret.key").write_text("my-password\n")
    with pytest.raises(ValueError, match="44 characters") as caught:
        SecretBox.open(tmp_path / "secret.key")
    assert "my-password" not in str(caught.value)


def test_a_line_break_after_the_key_does_no_harm(tmp_path):
    key = Fernet.generate_key()
    (tmp_path / "secret.key").write_bytes(key + b"\n")
    assert SecretBox(key).unseal(SecretBox.open(tmp_path / "secret.key").seal("x")) == "x"


def test_making_a_private_file_keeps_what_is_there(tmp_path):
    (tmp_path / "a").write_text("kept")
    make_private_file(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "kept"


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("key=hunter2 and hunter2", ["hunter2"], "key=*** and ***"),
        ("a?token=a%2Fb%20c%2Bd", ["a/b c+d"], "a?token=***"),
        ("a?token=a%2Fb+c%2Bd", ["a/b c+d"], "a?token=***"),
        ("hunter2000", ["hunter2", "hunter2000"], "***"),
        ("nothing here", ["", "hunter2"], "nothing here"),
    ],
)
def test_secrets_are_struck_out_of_texts(text, secrets, expected):
    assert redact(text, secrets) == expected


def test_a_key_for_another_purpose_is_stable_and_its_own():
    key = Fernet.generate_key()
    box = SecretBox(key)
    assert box.derive("links") == SecretBox(key).derive("links")
    assert len({box.derive("links"), box.derive("else"), SecretBox(Fernet.generate_key()).derive("links")}) == 3
    assert len(box.derive("links")) == 32


NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"k" * 32


def test_a_token_holds_its_text_until_its_time_is_over():
    tokens = TimedTokens(KEY)
    token = tokens.issue("job:fox ✓", 60.0, NOW)
    assert tokens.open(token, NOW) == ("job:fox ✓", 60.0)
    assert tokens.open(token, NOW + timedelta(seconds=59)) == ("job:fox ✓", 1.0)
    assert tokens.open(token, NOW + timedelta(seconds=60)) is None
    assert tokens.open(tokens.issue("late", -1.0, NOW), NOW) is None


def test_a_token_can_stand_in_an_address_and_says_nothing():
    token = TimedTokens(KEY).issue("job:fox", 60.0, NOW)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert "fox" not in token


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-4], lambda token: token + "AAAA", lambda token: token + "=", lambda token: token + "\n",
        lambda token: token.swapcase(), lambda _: "", lambda _: "é" * 99, lambda _: "1767225660.mXc0GrDd4tGjMCiG",
        lambda _: TimedTokens(b"o" * 32).issue("job:fox", 60.0, NOW),
    ],
)  # fmt: skip
def test_what_is_no_token_of_ours_opens_nothing(change):
    tokens = TimedTokens(KEY)
    assert tokens.open(change(tokens.issue("job:fox", 60.0, NOW)), NOW) is None
