"""Signatures of webhooks, against the recorded vector of Replicate and one computed by hand."""

import base64
import hmac

import pytest

from utils.webhook_signatures import signature_of, standard_headers, verify_replicate

# made by the documented algorithm and accepted by the official package's validator
SECRET = "whsec_bGFiLW9ubHktc2VjcmV0LTMyLWJ5dGVzLWxvbmchISE="
HEADERS = {
    "Webhook-Id": "msg_lab1",
    "Webhook-Timestamp": "1795240000",
    "Webhook-Signature": "v1,vW42cvWiC4Cvsvs0Vulc5eht62cerxFLZltfIrrNuUE=",
}
BODY = b'{"id":"zz","status":"succeeded"}'
NOW_S = 1795240010.0


def test_replicates_own_signature_is_taken():
    assert verify_replicate(HEADERS, BODY, SECRET, now_s=NOW_S)


def test_one_good_signature_of_several_is_enough():
    several = f"v1,AAAA v1a,xx {HEADERS['Webhook-Signature']}"
    assert verify_replicate(HEADERS | {"Webhook-Signature": several}, BODY, SECRET, now_s=NOW_S)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"now_s": NOW_S + 400},
        {"now_s": NOW_S - 400},
        {"secret": "whsec_b3RoZXI="},
        {"secret": "whsec_not base64"},
        {"headers": {}},
        {"headers": HEADERS | {"Webhook-Id": "msg_lab2"}},
        {"headers": HEADERS | {"Webhook-Timestamp": "1795240001"}},
        {"headers": HEADERS | {"Webhook-Timestamp": "soon"}},
        {"headers": HEADERS | {"Webhook-Signature": "v1,"}},
        {"headers": HEADERS | {"Webhook-Signature": HEADERS["Webhook-Signature"].replace("v1", "v2")}},
    ],
)
def test_anything_changed_is_refused(changes):
    values = {"headers": HEADERS, "body": BODY, "secret": SECRET, "now_s": NOW_S} | changes
    assert not verify_replicate(values.pop("headers"), values.pop("body"), values.pop("secret"), **values)


def test_our_own_signature_covers_time_and_body():
    expected = hmac.new(b"s3cret", b'1795240000.{"a":1}', "sha256").hexdigest()
    assert signature_of(b'{"a":1}', "s3cret", 1795240000.9) == f"t=1795240000,v1={expected}"


def test_our_standard_headers_are_those_of_the_recorded_vector():
    assert standard_headers("msg_lab1", BODY, SECRET, 1795240000.9) == {
        name.lower(): value for name, value in HEADERS.items()
    }


@pytest.mark.parametrize("secret", ["s3cret", "whsec_not base64", "é"])
def test_a_secret_of_any_other_form_is_the_key_itself(secret):
    key = "whsec_" + base64.b64encode(secret.encode()).decode()
    assert standard_headers("msg1", BODY, secret, NOW_S) == standard_headers("msg1", BODY, key, NOW_S)


def test_without_a_secret_there_is_an_id_and_a_time_but_no_signature():
    assert standard_headers("msg1", BODY, "", NOW_S) == {"webhook-id": "msg1", "webhook-timestamp": "1795240010"}
