"""Videos are told apart from pictures, measured without a decoder, and have a still."""

import importlib
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

from tests.utils.pictures import opened, picture
from tests.utils.videos import MP4, WEBM
from utils import images, video
from utils.images import BadImage
from utils.video import frames_of, inspect_video, is_video, still_of


@pytest.mark.parametrize(("data", "media_type"), [(MP4, "video/mp4"), (WEBM, "video/webm")])
def test_a_video_tells_what_it_is_and_how_large(data, media_type):
    info = inspect_video(data)
    assert is_video(data)
    assert (info.width, info.height, info.media_type, info.is_animated) == (96, 64, media_type, True)
    assert images.EXTENSIONS[media_type] == media_type.removeprefix("video/")


@pytest.mark.parametrize(
    "data",
    [picture(), picture("WEBP"), picture("AVIF"), b"", b"ftyp", b"\0\0\0\x18ftypqt  ", b"\0\0\0\x18ftypM4A isom",
     WEBM.replace(b"webm", b"matr", 1)],
    ids=["png", "webp", "avif", "empty", "short", "mov", "sound", "mkv"],
)  # fmt: skip
def test_what_is_none_is_told_apart(data):
    assert not is_video(data)
    with pytest.raises(BadImage, match="not a video"):
        inspect_video(data)


@pytest.mark.parametrize("whole", [MP4, WEBM], ids=["mp4", "webm"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.99])
def test_one_that_is_cut_off_is_refused(whole, share):
    with pytest.raises(BadImage):
        inspect_video(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("whole", [MP4, WEBM], ids=["mp4", "webm"])
def test_damage_of_any_byte_is_no_crash(whole):
    for at in range(0, len(whole), 3):
        for value in (0, 255):
            broken = whole[:at] + bytes([value]) + whole[at + 1 :]
            try:
                inspect_video(broken)
            except BadImage:
                continue


def test_one_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(video, "MAX_VIDEO_BYTES", 1024)
    with pytest.raises(BadImage, match="too large"):
        inspect_video(MP4)


@pytest.mark.parametrize("data", [MP4, WEBM, MP4[:100], b"\0\0\0\x18ftypisom"])
def test_without_a_decoder_there_is_a_plain_still_of_its_shape(monkeypatch, data):
    monkeypatch.setitem(sys.modules, "av", None)
    still = opened(still_of(data))
    assert still.format == "JPEG"
    assert still.size == ((96, 64) if data in (MP4, WEBM) else video.EMPTY_SIZE)


@pytest.mark.parametrize("data", [MP4, WEBM])
def test_with_a_decoder_the_still_is_the_first_frame(data):
    pytest.importorskip("av")
    red, _, blue = opened(still_of(data)).convert("RGB").getpixel((48, 32))
    assert red > 150 > blue


def test_a_decoder_that_fails_costs_only_the_frame(monkeypatch):
    def refuse(_):
        raise RuntimeError("no such codec")

    monkeypatch.setitem(sys.modules, "av", SimpleNamespace(open=refuse))
    assert opened(still_of(MP4)).size == (96, 64)


def test_a_decoder_s_frame_is_used(monkeypatch):
    class Container:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def decode(self, video):
            yield SimpleNamespace(to_image=lambda: Image.new("RGB", (96, 64), "red"))

    monkeypatch.setitem(sys.modules, "av", SimpleNamespace(open=lambda _: Container()))
    assert importlib.import_module("av") is sys.modules["av"]
    assert opened(still_of(MP4)).convert("RGB").getpixel((1, 1))[0] > 200


class Decoder:
    """A decoder of a video of so many frames, each with its number as its colour; some do not tell how many."""

    def __init__(self, count, reported):
        self.count = count
        self.streams = SimpleNamespace(video=[SimpleNamespace(frames=reported)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def decode(self, video):
        for number in range(self.count):
            yield SimpleNamespace(to_image=lambda number=number: number)


@pytest.mark.parametrize(
    ("count", "reported", "frames"),
    [(3, 3, [0, 1, 2]), (16, 16, [0, 4, 8, 12]), (16, 0, [0, 1, 2, 3]), (18, 18, [0, 4, 8, 12])],
)
def test_frames_are_taken_evenly_over_a_video(monkeypatch, count, reported, frames):
    monkeypatch.setitem(sys.modules, "av", SimpleNamespace(open=lambda _: Decoder(count, reported)))
    assert frames_of(MP4, 4) == frames


@pytest.mark.parametrize("decoder", [None, SimpleNamespace(open=lambda _: Decoder(0, 0))])
def test_a_video_that_cannot_be_decoded_has_no_frames(monkeypatch, decoder):
    monkeypatch.setitem(sys.modules, "av", decoder)
    with pytest.raises(BadImage):
        frames_of(MP4, 4)
