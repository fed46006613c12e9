"""The rules for addresses typed by people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.urls import UrlPolicy, UrlRefused, check_addresses, check_url, resolve

STRICT = UrlPolicy()
OPEN = UrlPolicy(allow_private=True, allow_insecure_http=True)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("https://abc123-7860.proxy.runpod.net", "https://abc123-7860.proxy.runpod.net"),
        ("  https://Example.COM/  ", "https://example.com"),
        ("<https://example.com>", "https://example.com"),
        ("https://example.com:443/sd/", "https://example.com/sd"),
        ("https://example.com.:7860", "https://example.com:7860"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://8.8.8.8:7860", "https://8.8.8.8:7860"),
        ("https://[2606:4700::1111]:7860/a/b", "https://[2606:4700::1111]:7860/a/b"),
    ],
)
def test_public_https_address_is_brought_to_its_one_form(typed, text):
    assert check_url(typed, STRICT).text == text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("http://localhost:7860", "http://localhost:7860"),
        ("http://2130706433:7860", "http://127.0.0.1:7860"),
        ("http://0x7f.1", "http://127.0.0.1"),
        ("http://127.1", "http://127.0.0.1"),
        ("http://0177.0.0.1", "http://127.0.0.1"),
        ("http://１２７。0.0.1", "http://127.0.0.1"),
        ("http://[::1]:7860", "http://[::1]:7860"),
        ("http://a1111_box:7860", "http://a1111_box:7860"),
        ("http://12.34.56.78:7860", "http://12.34.56.78:7860"),
    ],
)
def test_owner_may_use_private_and_plain_addresses(typed, text):
    assert check_url(typed, OPEN).text == text


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "foo.localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "①②⑦.0.0.1",
        "127.0.0.1.",
        "0.0.0.0",
        "10.0.0.5",
        "172.31.255.255",
        "192.168.1.2",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[ff0e::1]",
        "[2002:7f00:1::]",
        "[2002:808:808::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::1]",
        "[2001:db8::1]",
        "gpu-box",
        "gpu.local",
        "vault.internal",
    ],
)
def test_private_address_is_refused_unless_allowed(host):
    with pytest.raises(UrlRefused, match="not allowed here"):
        check_url(f"https://{host}:7860", STRICT)
    assert check_url(f"https://{host}:7860", OPEN).port == 7860


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "169.254.1.1",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
    ],
)
def test_metadata_and_link_local_addresses_are_refused_always(host):
    with pytest.raises(UrlRefused, match="never allowed"):
        check_url(f"http://{host}", OPEN)


def test_nat64_of_a_public_address_is_public():
    assert check_addresses("x", ["64:ff9b::808:808"], STRICT) == ("64:ff9b::808:808",)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "empty"),
        ("localhost:7860", "Type https://localhost:7860"),
        ("mygpu.com", "Type https://mygpu.com"),
        ("ftp://mygpu.com", "ftp:// is not supported"),
        ("file:///etc/passwd", "not supported"),
        ("https://user:pass@mygpu.com", "as the key"),
        ("https://evil.com@127.0.0.1", "user name or password"),
        ("https://mygpu.com/?__theme=dark", "from there on"),
        ("https://mygpu.com/#x", "from there on"),
        ("https://mygpu.com?", "from there on"),
        ("https://mygpu.com:0", "1 to 65535"),
        ("https://mygpu.com:65536", "1 to 65535"),
        ("https://mygpu.com:７860", "1 to 65535"),
        ("https://mygpu.com:abc", "1 to 65535"),
        ("https://", "valid"),
        ("https://a b.com", "space"),
        ("https://mygpu.com\\@evil", "space or a character"),
        ("https://mygpu.com/a/%2e%2e/b", r"\.\."),
        ("https://mygpu.com/é", "percent-encoded"),
        ("https://-..com", "valid"),
        ("https://1.2.3.4.5", "valid IP"),
        ("https://256.1.1.1", "valid IP"),
        ("https://1.2.3.09", "valid IP"),
        ("https://[zz::1]", "brackets|valid IP"),
        ("https://[mygpu.com]", "brackets|read"),
        ("https://::1", "brackets"),
        ("https://" + "a" * 3000, "longer"),
        ("https://" + "a." * 130 + "com", "valid"),
        ("https://ü" + "a" * 300 + ".com", "valid"),
    ],
)
def test_malformed_address_is_refused_with_what_would_be_right(typed, says):
    with pytest.raises(UrlRefused, match=says):
        check_url(typed, OPEN)


def test_plain_http_to_a_public_host_needs_the_setting():
    with pytest.raises(UrlRefused, match="https://"):
        check_url("http://mygpu.com:7860", UrlPolicy(allow_private=True))
    assert check_url("http://mygpu.com:7860", UrlPolicy(allow_insecure_http=True)).scheme == "http"


def test_plain_http_to_an_allowed_private_host_is_fine():
    assert check_url("http://192.168.1.2:7860", UrlPolicy(allow_private=True)).host == "192.168.1.2"


@pytest.mark.parametrize(
    ("allowed", "host", "is_allowed"),
    [
        ("mygpu.com", "mygpu.com", True),
        ("mygpu.com", "a.mygpu.com", False),
        (".runpod.net", "a.proxy.runpod.net", True),
        (".runpod.net", "runpod.net", True),
        (".runpod.net", "evilrunpod.net", False),
        ("*.RunPod.net", "a.runpod.net", True),
        ("*.runpod.net", "runpod.net", False),
    ],
)
def test_allow_list_admits_names_and_suffixes(allowed, host, is_allowed):
    policy = UrlPolicy(allowed_hosts=(allowed,))
    if is_allowed:
        assert check_url(f"https://{host}", policy).host == host
    else:
        with pytest.raises(UrlRefused, match="list of allowed hosts"):
            check_url(f"https://{host}", policy)


def test_one_forbidden_dns_answer_refuses_the_name():
    with pytest.raises(UrlRefused, match="name leads to"):
        check_addresses("gpu.example", ["8.8.8.8", "127.0.0.1"], STRICT)
    with pytest.raises(UrlRefused, match="never"):
        check_addresses("gpu.example", ["fe80::1%eth0"], OPEN)
    with pytest.raises(UrlRefused, match="no address"):
        check_addresses("gpu.example", [], OPEN)


def test_refusal_never_repeats_a_password():
    with pytest.raises(UrlRefused) as refused:
        check_url("https://mia:hunter2@mygpu.com?key=hunter2", OPEN)
    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=80))
def test_any_text_is_checked_or_refused(text):
    for candidate in (text, f"https://{text}", f"http://{text}:7860/x"):
        try:
            checked = check_url(candidate, OPEN)
        except UrlRefused:
            continue
        assert check_url(checked.text, OPEN) == checked


async def test_resolve_answers_with_every_address_once():
    assert await resolve("127.0.0.1", 80) == ("127.0.0.1",)
