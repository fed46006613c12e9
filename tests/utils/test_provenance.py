"""Every picture that Easel makes says to machines that a machine made it, and nothing of its prompt."""

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.utils.pictures import noise, opened, picture
from utils import images
from utils.image_text import with_parameters
from utils.picture_texts import read_parameters
from utils.provenance import ALGORITHMIC, TRAINED, source_type_of, with_source_type

KIND = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mark", [TRAINED, ALGORITHMIC])
@pytest.mark.parametrize("text", ["", "a fox\nSteps: 1, Seed: 2, Size: 8x8"])
def test_the_mark_stands_in_the_xmp_beside_the_parameters(kind: str, mark: str, text: str) -> None:
    data = noise((33, 17), kind)
    marked = with_source_type(with_parameters(data, text), mark)
    image = opened(marked)
    assert image.tobytes() == opened(data).tobytes()
    xmp = image.info["xmp"] if kind != "PNG" else image.info["XML:com.adobe.xmp"].encode()
    assert f"{KIND}{mark}<".encode() in xmp
    assert b"fox" not in xmp
    assert (read_parameters(marked) or "") == text
    assert source_type_of(marked) == mark
    assert with_source_type(marked, TRAINED) == marked
    declared = ElementTree.fromstring(xmp).iter("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    assert [element.text for element in declared] == [KIND + mark]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_copies_keep_the_mark(kind: str) -> None:
    marked = with_source_type(noise((300, 200), kind), TRAINED)
    assert source_type_of(images.thumbnail(marked, 64)) == TRAINED
    assert source_type_of(images.fit_bytes(marked, 20_000).data) == TRAINED
    assert source_type_of(images.grid([marked, marked])) == TRAINED
    for other in ("PNG", "JPEG", "WEBP"):
        assert source_type_of(images.convert(marked, other)) == TRAINED
    plain = noise((300, 200), kind)
    assert source_type_of(images.fit_bytes(plain, 20_000).data) is None


def test_what_another_program_said_is_kept() -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="theirs"/></rdf:RDF></x:xmpmeta>'
    )
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", xmp=packet.encode())
    xmp = opened(with_source_type(out.getvalue(), TRAINED)).info["xmp"]
    assert b"theirs" in xmp
    assert TRAINED.encode() in xmp


@pytest.mark.parametrize(
    "data", [picture("GIF"), b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"\xff\xd8"]
)
def test_a_file_without_a_place_for_it_stays_as_it_is(data: bytes) -> None:
    made = with_source_type(data, TRAINED)
    assert made == data or source_type_of(made) == TRAINED
