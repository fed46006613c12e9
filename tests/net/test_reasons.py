"""An engine's own reason: one clean line for people, and whether the same request would fail again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.reasons import MAX_REASON_CHARS, explanation, reason, with_reason

TRACEBACK = """*** Error completing request
Traceback (most recent call last):
  File "/home/jane doe/stable-diffusion-webui/modules/call_queue.py", line 74, in f
    res = list(func(*args, **kwargs))
  File "C:\\Users\\Jane\\forge\\modules\\uni_pc.py", line 702, in sample
    assert steps >= order, "UniPC order must be < sampling steps"
AssertionError: UniPC order must be < sampling steps
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UniPC order must be < sampling steps", "UniPC order must be < sampling steps."),
        ("AssertionError: UniPC order must be < sampling steps", "UniPC order must be < sampling steps."),
        (TRACEBACK, "UniPC order must be < sampling steps."),
        ("'Prompt is too long!'", "Prompt is too long!"),
        ("ValueError(\"width has to be divisible by 8 (but is 517)\")", "width has to be divisible by 8 (but is 517)."),
        ("expected 3/20 steps and/or more", "expected 3/20 steps and/or more."),
        ("mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)",
         "mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)."),
        ("Error(s) in loading state_dict for UNet:\n\tsize mismatch for out.2.weight",
         "Error(s) in loading state_dict for UNet: size mismatch for out.2.weight."),
        ("\x1b[31mNot enough \x1b[0mroom", "Not enough room."),
        ("bad <b>size</b> `64`", "bad size 64."),
        ("see [the page](https://evil.example/x) for steps", "see the page for steps."),
        ("\u202esteps\u202c must be\u2066 8\ud800", "steps must be 8."),
        ("", ""),
        ("AssertionError", ""),
        ("torch.cuda.OutOfMemoryError", ""),
        ("/usr/share/x.py", ""),
        ("<!DOCTYPE html><html><body>Bad gateway</body></html>", ""),
        ("Internal Server Error", ""),
        ("?!", ""),
    ],
)  # fmt: skip
def test_what_helps_is_kept_as_one_line(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    "secret",
    [
        "/home/jane/models/x.safetensors", "/home/jane doe/models/x.safetensors", r"C:\Users\Jane Doe\x.ckpt",
        r"\\nas\share\model.pt", "'/mnt/my disk/model.pt'", "models/Stable-diffusion/private.safetensors", "~/x/y.py",
        "https://user:pw@gpu.example:7860/x?key=abc", "http://10.0.0.5:7860", "10.0.0.5", "192.168.1.7:8188",
        "gpu.internal.lan:7860", "localhost:7860", "sk-proj-abcdef1234567890", "hf_AbCdEfGh1234", "r8_abcdef123456",
        "grid_9f8e7d6c5b", "Bearer abc.def.ghi123", "api_key=hunter2", "api key: hunter2", "password 'hunter22'",
        "token=deadbeef", "eyJhbGciOi.eyJzdWIi.SflKxw", "0123456789abcdef0123456789abcdef", "jane@example.com",
        "7f9c24e8-3b12-4fef-91e0-2f1d0c9e8a77", "0x7f3a5c0d1e20",
        "<@1234567890>", "@everyone", "<script>alert(1)</script>",
        "<modules.processing.Processed object at 0x7f12ab34>", "HTTPSConnectionPool(host='hub.example', port=443)",
    ],
)  # fmt: skip
def test_paths_addresses_keys_and_markup_never_come_through(secret: str) -> None:
    words = reason(f"could not read {secret} while drawing")
    assert words.startswith("could not read")
    assert "while drawing" in words
    for part in ("jane", "hunter", "safetensors", "10.0.0.5", "7860", "example", "abc", "0x7f", "1234567890",
                 "everyone", "<", "model.pt", "y.py", "eyj", "deadbeef", "7f9c24e8", "internal", "localhost", "hf_",
                 "192."):  # fmt: skip
        assert part not in words.casefold(), words


@given(st.text(max_size=3000) | st.binary(max_size=2000).map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_a_reason_is_one_bounded_printable_line_whatever_is_said(text: str) -> None:
    words = reason(text)
    assert len(words) <= MAX_REASON_CHARS + 1
    assert words.isprintable()
    assert "`" not in words
    words.encode()
    with_reason("It failed.", text).encode()


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["error", "errors", "detail", "message", "msg"]), inner)))  # fmt: skip
def test_any_body_has_words_or_none(answer: object) -> None:
    assert isinstance(explanation(json.dumps(answer).encode()), str)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":"AssertionError","detail":"","body":"","errors":"UniPC order"}', "UniPC order"),
        (b'{"error":"AssertionError","detail":"","body":"","message":"UniPC order"}', "UniPC order"),
        (b'{"detail":[{"loc":["body","steps"],"msg":"not a number"}]}', "not a number"),
        (b'{"error":{"message":"no such model","code":4}}', "no such model"),
        (b"Queue is full", ""),
        (b"<html>nginx</html>", ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
def test_the_words_are_found_where_engines_put_them(body: bytes, expected: str) -> None:
    assert explanation(body) == expected
