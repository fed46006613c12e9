"""Pictures on their way to a server of the A1111 family and back: bare base64."""

from pybase64 import b64decode, b64encode_as_string

from generation.errors import RequestRejected, UnexpectedAnswer
from generation.request import SourceImage
from texts.text import _
from utils.images import BadImage, inspect


def encode(image: SourceImage | None, what: str) -> str:
    """Return the picture as the server wants it. Slow with megabytes: call it in a thread.

    Raises:
        RequestRejected: there is none.
    """
    if image is None or not image.data:
        raise RequestRejected(_("The {what} is missing.", what=what), field="image", hint=_("Attach it again."))
    return b64encode_as_string(image.data)


def decode_base64(text: str) -> bytes:
    """Decode with or without a `data:...;base64,` prefix; stray characters are an error, not skipped."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    return b64decode(text, validate=True)


def decode_picture(label: str, text: str) -> bytes:
    try:
        data = decode_base64(text)
    except ValueError as error:  # binascii.Error is one; characters that are not ASCII are another
        raise UnexpectedAnswer(_("{label} sent a picture that is cut off.", label=label), detail=str(error)) from error
    check_picture(label, data)
    return data


def check_picture(label: str, data: bytes) -> None:
    try:
        inspect(data)
    except BadImage as error:
        raise UnexpectedAnswer(
            _("{label} sent a picture that cannot be used.", label=label), detail=str(error)
        ) from error
