"""Pictures on their way to a server of the A1111 family: bare base64."""

import base64

from generation.errors import RequestRejected
from generation.request import SourceImage


def encode(image: SourceImage | None, what: str) -> str:
    """Return the picture as the server wants it. Slow with megabytes: call it in a thread.

    Raises:
        RequestRejected: there is none.
    """
    if image is None or not image.data:
        raise RequestRejected(f"The {what} is missing.", field="image", hint="Attach it again.")
    return base64.b64encode(image.data).decode()
