"""Archives that want a certificate of this side: taken, or refused in one clear line."""

from __future__ import annotations

import ssl

import pytest

from osteoct.errors import NetworkError
from osteoct.network.credentials import Credentials
from osteoct.network.fetching import fetch_series, list_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""

KNOWN = Credentials(user="reader", password="open-sesame-42")  # noqa: S106 -- of the test's server
STUDY = make_query(("1.2.3",), None)
WAYS = ("web", "node")


def link_with(make, papers, address, name, **more):
    """A link that shows the certificate of that name, or none."""
    shown = {} if name is None else {"certificate": papers / f"{name}.pem"}
    shown |= {} if name is None else {"certificate_key": papers / f"{name}.key"}
    is_node = "@" in address
    return make.link(address, tls=is_node, ca=papers / "ca.pem", **shown, **more)


@pytest.fixture
def addresses(guarded, papers, make_wire):
    """Of the server over DICOM, and of the TLS that stands before its HTTP.

    Debian's build of it falls over its own HTTPS.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=papers / "ca.pem")
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    port = make_wire(guarded.http, context).port
    return {"node": guarded.node, "web": f"https://localhost:{port}/dicom-web"}


@pytest.mark.parametrize("way", WAYS)
def test_there_and_back_again(way, addresses, papers, make, tmp_path):
    """With the certificate that the server knows everything works as without."""
    study = make.series(tmp_path / "in", images=3)
    link = link_with(make, papers, addresses[way], "client", credentials=KNOWN)
    assert send_files([tmp_path / "in"], link).stored == 3
    done = fetch_series(link, make_query((study,), None), tmp_path / "out")
    assert (done.whole, done.images) == (1, 3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "wants a certificate"),
        ("unknown", "does not take"),
        ("expired", "does not take"),
    ],
)
def test_a_refusal_is_one_line(way, name, said, addresses, papers, make):
    """Of three mistakes, each with the option that mends it."""
    link = link_with(make, papers, addresses[way], name, credentials=KNOWN)
    with pytest.raises(NetworkError, match=said) as caught:
        list_series(link, STUDY)
    assert "--cert" in caught.value.line


@pytest.mark.parametrize("way", ["web", "node"])
@pytest.mark.parametrize(
    ("name", "said"), [("late", "has expired"), ("elsewhere", "not valid for")]
)
def test_an_archive_that_shows_a_wrong_one_is_not_told_about_the_authority(
    way, name, said, papers, serve, make, make_node
):
    """Another --ca would help neither against a name nor against a date."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / f"{name}.pem", papers / f"{name}.key")
    is_web = way == "web"
    url = serve(200, b"[]", context=context).url if is_web else make_node(tls=context).address
    with pytest.raises(NetworkError, match=said) as caught:
        list_series(link_with(make, papers, url, None), STUDY)
    assert "not trusted" in caught.value.line
    assert "--ca" not in caught.value.line


def test_a_node_that_takes_every_certificate_is_heard_out(make_node, papers, make):
    """The wait for a refusal ends; what is wrong is something else, and is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    wrong = make_node(tls=context).address.replace("NODE", "OTHER")
    with pytest.raises(NetworkError, match="before @"):
        list_series(link_with(make, papers, wrong, None), STUDY)
