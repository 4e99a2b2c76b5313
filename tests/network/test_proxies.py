"""Proxies of the environment: used, passed by, and told nothing that is not theirs."""

from __future__ import annotations

import base64
import http.server
import select
import socket
import ssl
import threading

import pytest

from osteoct.errors import NetworkError
from osteoct.network.credentials import Credentials
from osteoct.network.fetching import fetch_series, list_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

PASSWORD = "open-sesame-42"  # noqa: S105 -- of the test's server
KNOWN = Credentials(user="reader", password=PASSWORD)
SECRET = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
STUDY = make_query(("1.2.3",), None)
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy:
    """A forward proxy on loopback, which finds every host there; its log is all that it reads."""

    def __init__(self, status=200):
        self.log = log = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                log.append(f"{self.requestline}\n{self.headers}")
                if status != 200:
                    self.send_error(status, "Secretname is not let through")
                    return
                port = int(self.path.rpartition(":")[2])
                with socket.create_connection(("127.0.0.1", port), 5) as far:
                    self.send_response(200)
                    self.end_headers()
                    self._carry(far)

            def do_GET(self):
                log.append(f"{self.requestline}\n{self.headers}")
                self.send_error(502)

            def _carry(self, far):
                near = self.connection
                while True:
                    for end in select.select([near, far], [], [])[0]:
                        data = end.recv(16384)
                        if not data:
                            return
                        if end is near:
                            log.append(data.decode("latin-1"))
                        (far if end is near else near).sendall(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def make_proxy(monkeypatch):
    """Proxies that end with the test; the environment names none but the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made = []

    def make(status=200):
        made.append(Proxy(status))
        return made[-1]

    yield make
    for proxy in made:
        proxy.server.shutdown()
        proxy.server.server_close()


@pytest.fixture
def port(guarded, papers, make_wire):
    """Of the TLS that stands before a server that wants a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    return make_wire(guarded.http, context).port


def test_a_proxy_carries_and_reads_nothing(port, make_proxy, papers, make, monkeypatch, tmp_path):
    """Objects there and back; in its log are neither credentials nor names nor UIDs."""
    proxy = make_proxy()
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    study = make.series(tmp_path / "in", images=3)
    url = f"https://pacs.example:{port}/dicom-web"  # a host that only the proxy finds
    link = make.link(url, ca=papers / "ca.pem", credentials=KNOWN)
    assert send_files([tmp_path / "in"], link).stored == 3
    assert fetch_series(link, make_query((study,), None), tmp_path / "out").whole == 1
    log = "".join(proxy.log)
    assert f"CONNECT pacs.example:{port}" in log
    for secret in (SECRET, PASSWORD, "Authorization", study, *make.secrets):
        assert secret not in log


def test_hosts_of_no_proxy_are_reached_without_it(port, make_proxy, papers, make, monkeypatch):
    """0.0.0.0 is this machine to the system, and any host to us."""
    proxy = make_proxy()
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    url = f"https://0.0.0.0:{port}/dicom-web"
    link = make.link(url, ca=papers / "ca.pem", credentials=KNOWN)
    assert list_series(link, STUDY) == ()
    assert len(proxy.log) > 0
    proxy.log.clear()
    monkeypatch.setenv("NO_PROXY", "other.example,0.0.0.0")
    assert list_series(link, STUDY) == ()
    assert not proxy.log


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_needs_no_proxy(host, guarded, make_proxy, make, monkeypatch):
    """Unencrypted credentials are allowed to this machine alone: a proxy is another one."""
    proxy = make_proxy()
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, proxy.url)
    link = make.link(f"http://{host}:{guarded.http}/dicom-web", credentials=KNOWN)
    assert list_series(link, STUDY) == ()
    assert not proxy.log


@pytest.mark.parametrize(
    ("status", "said"),
    [(407, "wants credentials"), (403, "not let through"), (503, "not let through")],
)
def test_a_refusal_is_the_proxys(status, said, make_proxy, make, monkeypatch):
    """Its number is told, its text is not; one that may pass is tried again."""
    proxy = make_proxy(status)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(NetworkError, match=said) as caught:
        fetch_series(make.link("https://pacs.example/dicom-web", credentials=KNOWN), STUDY, None)
    assert f"status {status}" in caught.value.line
    assert "Secretname" not in caught.value.line
    assert len(proxy.log) == (2 if status == 503 else 1)
    assert SECRET not in "".join(proxy.log)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://me:hunter2@127.0.0.1:{}", "proxy does not answer"),
        ("socks5://127.0.0.1:{}", "cannot be used"),
        ("http://:{}", "cannot be used"),
    ],
)
@pytest.mark.usefixtures("make_proxy")
def test_a_proxy_that_is_none(url, said, make, monkeypatch):
    """And its own password is not repeated."""
    monkeypatch.setenv("HTTPS_PROXY", url.format(make.port()))
    with pytest.raises(NetworkError, match=said) as caught:
        list_series(make.link("https://pacs.example/dicom-web"), STUDY)
    assert "hunter2" not in caught.value.line


def test_a_proxy_gets_its_own_credentials_alone(port, make_proxy, papers, make, monkeypatch):
    """Those of its address go to it, those of the archive through it."""
    proxy = make_proxy()
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:hunter2@"))
    url = f"https://pacs.example:{port}/dicom-web"
    list_series(make.link(url, ca=papers / "ca.pem", credentials=KNOWN), STUDY)
    own = base64.b64encode(b"me:hunter2").decode()
    log = "".join(proxy.log)
    assert f"Proxy-Authorization: Basic {own}" in log
    assert SECRET not in log
