"""Files that pictures cannot be signed with: each fault is one phrase for one setting, with nothing of the key."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from tests.utils.certificates import NOW, SERVERS, issue, pem_of
from utils.certificates import read_credential
from utils.credentials import CERTIFICATE, KEY, BadCredential

ACCEPTED = "a certificate that C2PA accepts; "


def fault_of(issued, *, certificate=None, key=None) -> tuple[str, str]:
    with pytest.raises(BadCredential) as caught:
        read_credential(certificate or issued.certificate, key or issued.key, NOW)
    assert "BEGIN" not in str(caught.value)
    return caught.value.setting, caught.value.allowed


def test_a_chain_and_its_key_are_read(tmp_path):
    issued = issue(tmp_path)
    read = read_credential(issued.certificate, issued.key, NOW)
    assert (read.algorithm, read.chain.count(b"BEGIN CERTIFICATE")) == ("es256", 2)
    assert (read.ends_at - NOW).days in (29, 30)
    assert "PRIVATE" not in repr(read)


def test_a_file_with_both_in_it_serves_for_both(tmp_path):
    issued = issue(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    assert read_credential(both, issued.key, NOW).algorithm == "es256"


def test_files_that_are_not_there_are_named(tmp_path):
    issued = issue(tmp_path)
    setting, expected = fault_of(issued, certificate=tmp_path / "none.pem")
    assert (setting, expected.endswith("but there is no such file")) == (CERTIFICATE, True)
    setting, expected = fault_of(issued, key=tmp_path / "none.pem")
    assert (setting, expected.endswith("but there is no such file")) == (KEY, True)


def test_a_folder_and_an_impossible_name_are_no_files(tmp_path):
    issued = issue(tmp_path)
    for key in (tmp_path, tmp_path / "a\0b", tmp_path / ("a" * 5000)):
        assert fault_of(issued, key=key) == (
            KEY,
            "a PEM file with the private key of C2PA_CERTIFICATE, but this cannot be read as a file",
        )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_file_closed_to_easel_is_named(tmp_path):
    issued = issue(tmp_path)
    issued.key.chmod(0)
    assert fault_of(issued)[1].endswith("but this cannot be read as a file")


def test_the_key_itself_in_place_of_its_file_is_told_without_it(tmp_path):
    issued = issue(tmp_path)
    setting, expected = fault_of(issued, key=Path(issued.key.read_text()))
    assert (setting, expected) == (
        KEY,
        "the name of a PEM file with the private key of C2PA_CERTIFICATE, not what stands in it",
    )


@pytest.mark.parametrize("data", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_files_without_what_they_should_hold_are_named(tmp_path, data):
    issued = issue(tmp_path)
    other = tmp_path / "other.pem"
    other.write_bytes(data)
    assert fault_of(issued, certificate=other) == (
        CERTIFICATE,
        "a PEM file with your certificate first, then those that issued it, but no certificate can be read in it",
    )
    assert fault_of(issued, key=other) == (
        KEY,
        "a PEM file with the private key of C2PA_CERTIFICATE, but no private key can be read in it",
    )


def test_files_that_were_swapped_are_named(tmp_path):
    issued = issue(tmp_path)
    assert fault_of(issued, certificate=issued.key)[0] == CERTIFICATE
    assert fault_of(issued, key=issued.certificate)[0] == KEY


def test_a_key_of_another_certificate_is_named(tmp_path):
    issued, other = issue(tmp_path / "a"), issue(tmp_path / "b")
    assert fault_of(issued, key=other.key) == (
        KEY,
        "the private key of C2PA_CERTIFICATE, but it belongs to another certificate",
    )


def test_a_chain_with_its_authority_first_is_named(tmp_path):
    assert fault_of(issue(tmp_path, order=-1)) == (
        CERTIFICATE,
        "a PEM file with your certificate first, then those that issued it: another one stands first",
    )


def test_a_key_with_a_passphrase_is_named(tmp_path):
    issued = issue(tmp_path, passphrase="open sesame")
    assert fault_of(issued) == (KEY, "a PEM file with the private key of C2PA_CERTIFICATE, without a passphrase")


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)],
    ids=["another curve", "short RSA", "DSA"],
)
def test_a_key_of_a_kind_that_c2pa_does_not_know_is_named(tmp_path, key):
    issued = issue(tmp_path)
    issued.key.write_bytes(pem_of(key))
    setting, expected = fault_of(issued)
    assert (setting, expected.startswith("a private key of a kind that C2PA signs with: EC P-256")) == (KEY, True)


@pytest.mark.parametrize(
    ("begins_in", "ends_in", "verb"), [(-30.0, -2.0, "ended"), (2.0, 30.0, "begins")], ids=["expired", "not yet valid"]
)
def test_a_certificate_of_another_time_is_named_with_its_day(tmp_path, begins_in, ends_in, verb):
    issued = issue(tmp_path, begins_in=begins_in, ends_in=ends_in)
    setting, expected = fault_of(issued)
    assert setting == CERTIFICATE
    assert expected.startswith(f"a certificate that is valid today; this one {verb} on 2")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"use": SERVERS}, "the extended key usage of this one lacks emailProtection, documentSigning or C2PA's"),
        ({"use": None}, "this one does not say what it is for"),
        ({"signs": False}, "the key usage of this one lacks digitalSignature"),
        ({"is_authority": True}, "this one is an authority's, for issuing others"),
        ({"is_self_signed": True}, "this one is signed with its own key; an authority must issue it"),
    ],
    ids=lambda reply: " ".join(reply) if isinstance(reply, dict) else "",
)
def test_a_certificate_that_c2pa_would_not_accept_is_named_with_the_reason(tmp_path, reply, why):
    setting, expected = fault_of(issue(tmp_path, **reply))
    assert setting == CERTIFICATE
    assert expected.startswith(ACCEPTED + why)
