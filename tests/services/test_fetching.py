"""A picture may be given as a link, a data: URL, base64 or an id; every other thing is refused by name."""

import base64
import textwrap

import pytest

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from services.pictures import fetching
from services.pictures.fetching import MAX_BASE64_CHARS, PictureFetcher
from services.pictures.media import MediaService
from tests.services.conftest import DAY_S
from tests.utils.pictures import noise, picture
from utils.urls import UrlPolicy


@pytest.fixture
def media(cache, clock):
    return MediaService(cache, clock, DAY_S)


@pytest.fixture
def fetcher(media):
    return PictureFetcher(media, UrlPolicy(), public_url="https://easel.example/")


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


FORMS = {
    "base64": packed,
    "without padding": lambda data: packed(data).rstrip("="),
    "with line breaks": lambda data: "\r\n".join(textwrap.wrap(packed(data), 64)),
    "the url-safe alphabet": lambda data: base64.urlsafe_b64encode(data).decode(),
    "data URL": lambda data: f"data:image/png;base64,{packed(data)}",
    "data URL with a parameter": lambda data: f"DATA:image/png;charset=utf-8;base64,{packed(data)}\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_every_form_of_base64_gives_the_same_picture(fetcher, media, form, kind):
    data = picture(kind, (33, 24))
    source = await fetcher.take(FORMS[form](data))
    assert source.media_id == (await media.take_input(data)).media_id
    assert (source.width, source.height) == (33, 24)


@pytest.mark.parametrize(
    "form", ["{}", "/api/media/{}", "https://easel.example/api/media/{}", "/api/media/{}?token=abc"]
)
async def test_a_picture_that_is_here_is_named_by_id_or_address(fetcher, media, form):
    known = await media.take_input(noise((32, 24)))
    assert (await fetcher.take(form.format(known.media_id))).media_id == known.media_id


async def test_a_link_is_fetched_by_the_rules(fetcher, monkeypatch):
    asked = []

    async def fetch(url, **rules):
        asked.append((url, rules))
        return picture()

    monkeypatch.setattr(fetching, "fetch_picture", fetch)
    assert (await fetcher.take("https://else.example/api/media/abc", field="mask")).width == 32
    assert asked == [("https://else.example/api/media/abc", {"policy": UrlPolicy(), "field": "mask"})]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "is empty"),
        ("nosuchpicture", "no picture here"),
        ("/api/media/nosuchpicture", "no picture here"),
        ("https://127.0.0.1/fox.png", "refused"),
        ("data:image/svg+xml,<svg/>", "not base64"),
        ("a red fox in the snow, and what is more, one that looks at the moon!", "neither a link nor base64"),
        ("füchse" * 20, "neither a link nor base64"),
        (packed(b"no picture at all, but long enough to be one, so that it is looked into"), "picture"),
        ("A" * (MAX_BASE64_CHARS + 1), "too large"),
        (packed(bytes(MAX_INPUT_IMAGE_BYTES + 3)), "too large"),
    ],
)
async def test_what_is_no_picture_is_refused_by_the_name_of_its_field(fetcher, reply, why):
    with pytest.raises(RequestRejected, match=why) as refused:
        await fetcher.take(reply, field="mask")
    assert refused.value.field == "mask"


async def test_too_long_a_text_is_refused_before_it_is_decoded(fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "_decode", None)
    with pytest.raises(RequestRejected, match="at most 10 MB"):
        await fetcher.take("A" * (MAX_BASE64_CHARS + 1))
