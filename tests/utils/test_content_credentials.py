"""Pictures signed by C2PA's own tool, and read by it."""

import io

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from PIL import Image

from tests.utils.certificates import CLAIMS, DOCUMENTS, EMAIL, NOW, issue, pem_of
from tests.utils.manifests import Manifest, manifest_of
from tests.utils.pictures import noise, opened
from utils.content_credentials import How, NotSigned, PictureSigner
from utils.image_text import with_parameters
from utils.picture_texts import read_parameters
from utils.provenance import ALGORITHMIC, TRAINED, VOCABULARY, source_type_of, with_source_type

PROMPT = "a red fox for Mia\nSteps: 1, Seed: 2, Size: 8x8"


@pytest.fixture(scope="module")
def signer(tmp_path_factory) -> PictureSigner:
    issued = issue(tmp_path_factory.mktemp("chain"))
    return PictureSigner.open(issued.certificate, issued.key, NOW)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("mark", [TRAINED, ALGORITHMIC])
def test_the_tool_itself_finds_a_signed_picture_valid(signer, kind, mark):
    data = noise((40, 30), kind)
    signed = signer.sign_new(data, mark)
    manifest = manifest_of(signed)
    assert manifest.is_valid
    assert manifest.actions == [{"action": "c2pa.created", "digitalSourceType": VOCABULARY + mark}]
    generator = manifest.own["claim_generator_info"][0]
    assert (generator["name"], generator["version"]) == ("Easel", "0.1.0")
    assert manifest.own["title"] == "picture"
    assert opened(signed).tobytes() == opened(data).tobytes()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_parameters_and_xmp_stay_and_none_of_them_is_in_the_manifest(signer, kind):
    data = with_source_type(with_parameters(noise((40, 30), kind), PROMPT), TRAINED)
    signed = signer.sign_new(data, TRAINED)
    assert (read_parameters(signed), source_type_of(signed)) == (PROMPT, TRAINED)
    manifest = manifest_of(signed)
    assert manifest.is_valid
    assert "fox" not in manifest.text
    assert "Mia" not in manifest.text


def changed(data: bytes, kind: str) -> bytes:
    """The same file with a byte of its pixels changed."""
    # the middle of each: pixels, far from the manifest at the front (PNG, JPEG) or the back (WebP)
    at = len(data) * 3 // 4 if kind != "WEBP" else len(data) // 4
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_changed_pixel_makes_it_invalid(signer, kind):
    manifest = Manifest(changed(signer.sign_new(noise((120, 100), kind), TRAINED), kind), f"image/{kind.lower()}")
    assert manifest.state == "Invalid"
    assert "assertion.dataHash.mismatch" in manifest.failures


def test_a_picture_drawn_anew_over_a_signed_one_is_invalid(signer):
    signed = signer.sign_new(noise((40, 30), "PNG"), TRAINED)
    other = signer.sign_new(noise((41, 30), "PNG"), TRAINED)
    taken = other.index(b"caBX") - 4
    length = int.from_bytes(other[taken : taken + 4], "big") + 12
    own = signed.index(b"caBX") - 4
    own_length = int.from_bytes(signed[own : own + 4], "big") + 12
    forged = signed[:own] + other[taken : taken + length] + signed[own + own_length :]
    assert manifest_of(forged).state == "Invalid"


def test_what_followed_a_picture_names_it_as_what_went_in(signer):
    manifest = manifest_of(signer.sign_new(noise((40, 30), "PNG"), TRAINED, How.FOLLOWED))
    assert manifest.is_valid
    assert manifest.steps == ["created"]
    assert [item["relationship"] for item in manifest.ingredients] == ["inputTo"]


def test_what_was_edited_names_the_picture_that_was_opened(signer):
    manifest = manifest_of(signer.sign_new(noise((40, 30), "PNG"), TRAINED, How.EDITED))
    assert manifest.is_valid
    assert manifest.steps == ["opened", "edited"]
    assert manifest.actions[1]["digitalSourceType"] == VOCABULARY + TRAINED
    assert [item["relationship"] for item in manifest.ingredients] == ["parentOf"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_copy_leads_to_its_original(signer, kind):
    original = signer.sign_new(noise((40, 30), "PNG"), TRAINED)
    for copy, steps in (
        (noise((40, 30), kind), ["opened", "transcoded"]),
        (noise((20, 15), kind), ["opened", "resized"] + ["transcoded"] * (kind != "PNG")),
    ):
        signed = signer.sign_copy(copy, [original], TRAINED)
        manifest = manifest_of(signed)
        assert manifest.is_valid
        assert len(signed) - len(copy) < 10_000
        assert manifest.steps == steps
        assert len(manifest.all) == 2
        assert manifest.ingredients[0]["active_manifest"] == manifest_of(original).own["label"]


def test_a_sheet_leads_to_every_picture_on_it(signer):
    parts = [signer.sign_new(noise((40, 30 + number), "PNG"), TRAINED) for number in range(3)]
    manifest = manifest_of(signer.sign_copy(noise((80, 80), "JPEG"), parts, TRAINED))
    assert manifest.is_valid
    assert manifest.steps == ["created", "placed"]
    assert [item["relationship"] for item in manifest.ingredients] == ["componentOf"] * 3
    assert len(manifest.all) == 4


def test_what_an_engine_signed_itself_is_led_to(signer, tmp_path):
    issued = issue(tmp_path)
    theirs = PictureSigner.open(issued.certificate, issued.key, NOW).sign_new(noise((40, 30), "PNG"), ALGORITHMIC)
    ours = with_source_type(with_parameters(theirs, PROMPT), TRAINED)
    assert not manifest_of(ours).is_valid
    manifest = manifest_of(signer.sign_new(ours, TRAINED, engine_file=theirs))
    assert manifest.is_valid
    assert manifest.steps == ["opened", "edited.metadata"]
    assert manifest.ingredients[0]["active_manifest"] == manifest_of(theirs).own["label"]
    assert "fox" not in manifest.text


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "P-521", "Ed25519", "RSA"],
)
def test_keys_of_every_kind_sign(tmp_path, key):
    issued = issue(tmp_path, key=key)
    signed = PictureSigner.open(issued.certificate, issued.key, NOW).sign_new(noise((8, 8), "PNG"), TRAINED)
    assert manifest_of(signed).is_valid


def test_a_key_in_the_older_form_of_openssl_signs(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    issued = issue(tmp_path, key=key)
    issued.key.write_bytes(pem_of(key, form="TraditionalOpenSSL"))
    assert PictureSigner.open(issued.certificate, issued.key, NOW)


@pytest.mark.parametrize("use", [EMAIL, DOCUMENTS, CLAIMS])
def test_certificates_for_each_use_that_c2pa_knows_sign(tmp_path, use):
    issued = issue(tmp_path, use=use)
    assert PictureSigner.open(issued.certificate, issued.key, NOW)


def test_no_name_leads_out_of_the_picture(signer):
    out = io.BytesIO()
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        'dcterms:provenance="http://127.0.0.1:9/nothing"/></rdf:RDF></x:xmpmeta>'
    )
    Image.new("RGB", (8, 8)).save(out, "JPEG", xmp=packet.encode())
    signed = signer.sign_new(out.getvalue(), TRAINED, engine_file=out.getvalue())
    assert manifest_of(signed).steps == ["created"]


def test_an_authority_that_does_not_answer_leaves_it_unsigned(tmp_path):
    issued = issue(tmp_path)
    signer = PictureSigner.open(issued.certificate, issued.key, NOW, "http://127.0.0.1:9/stamp")
    with pytest.raises(NotSigned):
        signer.sign_new(noise((8, 8), "PNG"), TRAINED, with_timestamp=True)
    assert manifest_of(signer.sign_new(noise((8, 8), "PNG"), TRAINED)).is_valid


@pytest.mark.parametrize("data", [b"", b"no picture", noise((8, 8), "PNG")[:60]], ids=["empty", "text", "cut off"])
def test_what_is_no_picture_is_not_signed(signer, data):
    with pytest.raises(NotSigned):
        signer.sign_new(data, TRAINED)


def test_the_key_is_not_shown(signer):
    assert "PRIVATE" not in repr(signer)
    assert "PRIVATE" not in repr(signer.credential)
