"""A picture that is to be signed: signed, or sent without a signature, but never lost."""

import logging
import threading

import pytest

from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage
from services.pictures.marks import Marks
from tests.utils.pictures import noise
from tests.utils.videos import MP4
from utils.content_credentials import How, NotSigned
from utils.provenance import TRAINED, source_type_of, with_source_type

PICTURE = with_source_type(noise((16, 12), "PNG"), TRAINED)
SOURCE = SourceImage(media_id="a")


def request_of(**reply) -> GenerationRequest:
    usual = {"prompt": "a fox", "width": 16, "height": 12, "steps": 1, "cfg_scale": 1, "seed": 1}
    return GenerationRequest(**usual | reply)


class Signer:
    """Signs by saying how it was asked to; fails or hangs where it is told to."""

    timestamp_url = ""

    def __init__(self, *, fails: bool = False, stamp: str = "") -> None:
        self.fails = fails
        self.timestamp_url = "http://127.0.0.1:9/" if stamp else ""
        self.stamp = stamp
        self.asked: list[tuple[How, bool]] = []
        self.released = threading.Event()

    def sign_new(self, data, kind, how, *, engine_file=b"", with_timestamp=False):
        self.asked.append((how, with_timestamp))
        if with_timestamp and self.stamp == "hangs":
            self.released.wait(5)
        if self.fails or (with_timestamp and self.stamp == "fails"):
            raise NotSigned("the authority is away")
        return data + b"signed"

    def sign_copy(self, copy, originals, kind):
        if self.fails:
            raise NotSigned("no")
        return copy + b"signed"


@pytest.mark.parametrize(
    ("reply", "how"),
    [
        ({}, How.CREATED),
        ({"mode": Mode.IMG2IMG, "init_image": SOURCE}, How.FOLLOWED),
        ({"control": (ControlUnit(kind="canny", image=SOURCE),)}, How.FOLLOWED),
        ({"mode": Mode.INPAINT, "init_image": SOURCE, "mask_image": SOURCE}, How.EDITED),
        ({"mode": Mode.UPSCALE, "init_image": SOURCE}, How.EDITED),
    ],
    ids=["txt2img", "img2img", "control", "inpaint", "upscale"],
)
async def test_the_manifest_says_what_kind_of_drawing_it_was(reply, how):
    signer = Signer()
    assert await Marks(signer=signer).signed(PICTURE, TRAINED, request_of(**reply), PICTURE) == PICTURE + b"signed"
    assert signer.asked == [(how, False)]


async def test_a_failure_while_signing_loses_no_picture_and_is_logged(caplog):
    marks = Marks(signer=Signer(fails=True))
    with caplog.at_level(logging.WARNING):
        assert await marks.signed(PICTURE, TRAINED, request_of(), PICTURE) == PICTURE
        copy = marks.copied(noise((8, 6), "JPEG"), PICTURE)
    assert source_type_of(copy) == TRAINED
    assert [record.getMessage() for record in caplog.records] == [
        "a picture could not be signed; its XMP alone marks it",
        "a copy could not be signed; its XMP alone marks it",
    ]
    assert "fox" not in caplog.text


@pytest.mark.parametrize("stamp", ["fails", "hangs"])
async def test_an_authority_that_is_away_costs_the_time_stamp_alone(stamp, caplog):
    signer = Signer(stamp=stamp)
    with caplog.at_level(logging.WARNING):
        signed = await Marks(signer=signer, timestamp_wait_s=0.02).signed(PICTURE, TRAINED, request_of(), PICTURE)
    signer.released.set()
    assert signed == PICTURE + b"signed"
    assert signer.asked == [(How.CREATED, True), (How.CREATED, False)]
    assert caplog.records[0].getMessage() == "a picture is signed without a time stamp"


async def test_a_time_is_asked_for_new_pictures_only():
    signer = Signer(stamp="works")
    await Marks(signer=signer).signed(PICTURE, TRAINED, request_of(), PICTURE)
    Marks(signer=signer).copied(noise((8, 6), "JPEG"), PICTURE)
    assert signer.asked == [(How.CREATED, True)]


async def test_nothing_is_signed_that_is_not_to_be():
    signer = Signer()
    assert await Marks(signer=signer).signed(PICTURE, None, request_of(), PICTURE) == PICTURE
    assert await Marks().signed(PICTURE, TRAINED, request_of(), PICTURE) == PICTURE
    assert await Marks(signer=signer).signed(MP4, TRAINED, request_of(), MP4) == MP4
    brought = noise((8, 6), "JPEG")
    assert Marks(signer=signer).copied(brought, noise((16, 12), "PNG")) == brought
    assert signer.asked == []
