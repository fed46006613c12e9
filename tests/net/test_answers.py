"""JSON of engines, read in one way: what is nearly right is mended, what is not is one error, caught everywhere."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from net.answers import MAX_DEPTH, read_json, read_model, read_with


class Answer(BaseModel):
    name: str = ""
    size: float = 0.0


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\udcc4\\udce3model"', "\ufffd\ufffdmodel"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\xc4\xe3model"', "\ufffd\ufffdmodel"),
        (b'{"\\ud800": 1}', {"\ufffd": 1}),
        (b'["a\tb\x1b"]', ["a\tb\x1b"]),
        (b"[NaN, Infinity, -Infinity, 1e400]", [None] * 4),
        (b"\xef\xbb\xbf[18446744073709551615, -9]", [2**64 - 1, -9]),
        (b"[" + b"9" * 5000 + b", 1.5]", [None, 1.5]),
        (b'"\\\\ud800 is only text"', "\\ud800 is only text"),
    ],
)
def test_what_is_nearly_right_is_mended(body: bytes, value: Any) -> None:
    assert read_json(body) == value


PICTURE = b"iVBORw0KGgo" * 10_000


@pytest.mark.parametrize(
    "rest",
    [
        b'"\\udcc4\\udce3model"', b'"\\ud83d\\ude00"', b'"\xc4\xe3"', b'"a\tb"',
        b"[NaN, -Infinity, 1e400, -1e400, 1.5]",
        b"[18446744073709551615, -9, true, false, null]", b"9" * 5000, b"123456789012345678901", b'{"a": 1, "a": 2}',
        b"nul",
    ],
)  # fmt: skip
def test_an_answer_with_a_picture_is_read_quickly_and_as_any_other(rest: bytes) -> None:
    """The quick reader is for large answers alone: a small one of the same content is read by the mending one."""
    small, large = (b'{"images": ["%s"], "info": %s}' % (picture, rest) for picture in (b"", PICTURE))
    try:
        value = read_json(small)
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            read_json(large)
    else:
        assert read_json(large) == value | {"images": [PICTURE.decode()]}


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 5_000, 200_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deeply_is_refused(depth: int, start: bytes, end: bytes) -> None:
    body = start * depth + b"1" + end * depth
    with pytest.raises(ValueError, match="deep"):
        read_json(body)
    for read in (lambda: read_model(Answer, body), lambda: read_with(TypeAdapter(list[Any]), body)):
        with pytest.raises(ValidationError):
            read()


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"a": 1} x', b"\xff\xfe", b'"', b"nul"])
def test_what_is_no_json_is_the_error_of_a_wrong_form(body: bytes) -> None:
    with pytest.raises(ValidationError):
        read_model(Answer, body)
    with pytest.raises(ValueError, match=r".+"):
        read_json(body)


def test_models_are_read_as_before() -> None:
    assert read_model(Answer, b'{"name": "a", "size": 1, "more": []}') == Answer(name="a", size=1.0)
    assert read_with(TypeAdapter(list[Answer]), b'[{"name": "a"}]') == [Answer(name="a")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_python_writes_can_be_stored_and_sent_when_it_is_read(value: Any) -> None:
    reply = read_json(json.dumps(value))
    json.dumps(reply, ensure_ascii=False, allow_nan=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_one_error(body: bytes) -> None:
    try:
        reply = read_json(body)
    except ValueError:
        return
    assert not isinstance(reply, float) or math.isfinite(reply)
