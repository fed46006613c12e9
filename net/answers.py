"""JSON of engines: read in one way, into values that everything behind can use; and written.

What honest servers send in spite of all standards is mended: file names that are no UTF-8, halves of characters (Python
writes such), raw control characters in texts, NaN and Infinity (Python writes those, too). A number that is none is
taken as not said (None), one of hundreds of digits as a float. Depth is bounded; size was, when the body was read.
"""

import json
import math
from contextlib import suppress
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

from generation.foreign import encodable

MAX_DEPTH: Final = 100  # honest answers have about ten
MAX_DIGITS: Final = 20  # of a whole number: 64 bits and a sign
LARGE_BYTES: Final = 64 * 1024  # from here on a quicker reader is tried first: ten times as fast with a picture
FEW: Final = 500  # values in the first part of an answer that is mostly a picture; with many, it is no quicker

Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


def read_json(body: bytes | str) -> Any:
    """Return what a body says. Blocks with a large one: see `utils.threads.read_apart`.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    if isinstance(body, bytes):
        if len(body) > LARGE_BYTES and body.isascii() and body.count(b",", 0, LARGE_BYTES) < FEW:
            with suppress(ValueError):
                return _with_numbers(from_json(body, allow_inf_nan=False, cache_strings=False))
        body = body.decode("utf-8-sig", "replace")
    return _read_mending(body)


def _read_mending(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    may_be_halved = not text.isascii() or "\\ud" in text or "\\uD" in text
    return _checked(value) if may_be_deep or may_be_halved else value


def read_model(kind: type[Model], body: bytes | str) -> Model:
    """Return a body as a model.

    Raises:
        ValidationError: it is no JSON, or not of that form.
    """
    return kind.model_validate(_read(kind.__name__, body))


def read_with(adapter: TypeAdapter[T], body: bytes | str) -> T:
    """Return a body as what an adapter makes of it; raises as `read_model` does."""
    return adapter.validate_python(_read("answer", body))


def write_json(values: Any) -> bytes:
    """Return what is sent. Blocks with pictures in it: call it in a thread.

    Raises:
        ValueError: a number in it is none.
    """
    return json.dumps(values, allow_nan=False).encode()


def _read(title: str, body: bytes | str) -> Any:
    try:
        return read_json(body)
    except ValueError as error:
        what = PydanticCustomError("json_invalid", "no JSON: {error}", {"error": str(error)})  # no text: for the log
        raise ValidationError.from_exception_data(title, [InitErrorDetails(type=what, input=None)]) from error


def _with_numbers(value: Any, depth: int = 0) -> Any:
    """Return a value whose numbers are as `_DECODER` makes them.

    Raises:
        ValueError: it may be nested too deeply.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise ValueError("nested too deeply")
        if isinstance(value, list):
            return [_with_numbers(item, depth + 1) for item in value]
        return {key: _with_numbers(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _whole(str(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked(value: Any) -> Any:
    """Return a value with every text made encodable, level by level: its depth is one of the faults."""
    root = [value]
    level: list[list[Any] | dict[Any, Any]] = [root]
    for __ in range(MAX_DEPTH + 1):
        inner: list[list[Any] | dict[Any, Any]] = []
        for container in level:
            if isinstance(container, dict) and not all(map(str.isascii, container)):
                items = [(encodable(key), item) for key, item in container.items()]
                container.clear()
                container.update(items)
            for key, item in container.items() if isinstance(container, dict) else enumerate(container):
                if isinstance(item, str):
                    if not item.isascii():
                        container[key] = encodable(item)
                elif isinstance(item, dict | list):
                    inner.append(item)
        if not inner:
            return root[0]
        level = inner
    raise ValueError("nested too deeply")


def _whole(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= MAX_DIGITS else _float(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER: Final = json.JSONDecoder(parse_int=_whole, parse_float=_float, parse_constant=lambda word: None, strict=False)
