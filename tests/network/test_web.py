"""Services that refuse, answer nonsense or want to send elsewhere; secrets stay where they are."""

from __future__ import annotations

import json
import ssl
import subprocess

import pytest

from osteoct.errors import ConfigError, NetworkError
from osteoct.network.credentials import Credentials
from osteoct.network.fetching import fetch_series, list_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""

PASSWORD = "open-sesame-42"  # noqa: S105 -- of a server that lives for a second
KNOWN = Credentials(user="somebody", password=PASSWORD)
STUDY = make_query(("1.2.3",), None)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "who asks"),
        (403, "not allow"),
        (404, "no such thing"),
        (503, "503"),
        (302, "elsewhere"),
    ],
)
def test_a_refusal_is_one_line_without_the_secret(status, said, serve, make):
    """Nor is the secret sent to where a service redirects."""
    other = serve()
    service = serve(status, b"Secretname " + PASSWORD.encode(), Location=other.url)
    with pytest.raises(NetworkError, match=said) as caught:
        list_series(make.link(service.url, credentials=KNOWN), STUDY)
    assert PASSWORD not in caught.value.line + repr(KNOWN)
    assert "Secretname" not in caught.value.line
    assert service.asked[0][1]["Authorization"].startswith("Basic ")
    assert not other.asked


@pytest.mark.parametrize("body", [b"<html>Secretname</html>", b'{"a": 1}', b'["Secretname"]', b"7"])
def test_nonsense_is_said_to_be_that(body, serve, make, tmp_path):
    """And nothing of it is repeated."""
    with pytest.raises(NetworkError, match="cannot be understood") as caught:
        fetch_series(make.link(serve(200, body).url), STUDY, tmp_path / "out")
    assert "Secretname" not in caught.value.line
    assert not list(tmp_path.iterdir())


def test_objects_without_an_answer_are_not_taken_for_stored(serve, make, tmp_path):
    """A service that says 200 and nothing else has promised nothing."""
    make.series(tmp_path / "in")
    with pytest.raises(NetworkError, match="come back later"):
        send_files([tmp_path / "in"], make.link(serve(200, b"{}").url), again=True)


def test_a_refused_object_is_counted(serve, make, tmp_path):
    """Status 409 with reasons; the codes are those of C-STORE."""
    make.series(tmp_path / "in", images=1)
    from pydicom import dcmread  # noqa: PLC0415 -- beside its only use

    uid = dcmread(tmp_path / "in" / "000.dcm").SOPInstanceUID
    item = {
        "00081155": {"vr": "UI", "Value": [uid]},
        "00081197": {"vr": "US", "Value": [0xA900]},
    }
    body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
    sent = send_files([tmp_path / "in"], make.link(serve(409, body).url), again=True)
    assert (sent.refused, sent.reasons) == (1, (("reason A900", 1),))


def test_a_certificate_is_checked(serve, make, make_node, tmp_path):
    """Over both protocols: not trusted as it is, trusted once it is vouched for."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(  # noqa: S603 -- fixed arguments
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-keyout",
                key,
                "-out",
                certificate,
            ),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    url = serve(200, b"[]", context=context).url
    node = make_node(tls=context).address
    for address in (url, node):
        tls = address == node
        with pytest.raises(NetworkError, match="not trusted"):
            list_series(make.link(address, tls=tls), STUDY)
        known = make.link(address, tls=tls, ca=certificate, credentials=KNOWN)
        assert list_series(known, STUDY) == ()


@pytest.mark.parametrize("address", ["http://pacs.example/web", "PACS@pacs.example:104"])
def test_secrets_do_not_travel_in_the_clear(address, make):
    """Refused before anything is sent."""
    with pytest.raises(ConfigError, match="unencrypted"):
        list_series(make.link(address, credentials=KNOWN), STUDY)
