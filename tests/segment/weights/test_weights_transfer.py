"""An archive arrives whole or is continued, and two files are never glued together."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import urllib.request

import pytest

from osteoct.errors import ConfigError, SegmenterUnavailableError
from osteoct.segment.weights.mirror import mirrored
from osteoct.segment.weights.progress import Stage
from osteoct.segment.weights.transfer import Part, Patience, transfer
from osteoct.segment.weights.web import _SafeRedirects

QUICK = Patience(tries=3, first_wait_s=0.01)


@pytest.fixture
def get(one, server):
    """Transfer the archive of one model; returns what arrived."""
    download = one.downloads[0]
    one.place.path.mkdir()
    part = Part(place=one.place, download=download)

    def call(check_size=lambda _: None, hear=lambda _: None):
        transfer(mirrored(download.url), part, check_size=check_size, hear=hear, patience=QUICK)
        return part.file.read_bytes()

    call.part, call.path = part, server.asked
    return call


@pytest.fixture
def data(archives, models):
    """The archive as the server has it."""
    return archives[models.LOCATE]


def test_a_file_arrives_whole(get, data, server):
    """The plain case: one request, and the last that is told is the whole size."""
    told = []
    assert get(hear=told.append) == data
    assert server.sent == len(data)
    assert server.ranges() == [None]
    assert (told[-1].stage, told[-1].done_bytes, told[-1].total_bytes) == (
        *(Stage.RECEIVING, len(data), len(data)),
    )


def test_a_connection_that_breaks_off_is_continued(get, data, server):
    """Twice in one fetch: every byte is sent once."""
    server.break_after = [50_000, 30_000]
    told = []
    assert get(hear=told.append) == data
    assert server.sent == len(data)
    assert server.ranges() == [None, "bytes=50000-", "bytes=80000-"]
    notes = [p.note for p in told if p.stage is Stage.RETRYING]
    assert len(notes) == 2
    assert "broke off after 50000 of" in notes[0]


def test_a_part_of_an_earlier_fetch_is_continued(get, data, server):
    """A process that was killed left it; a later one asks for the rest alone."""
    server.break_after = [50_000] + [0] * 3
    with pytest.raises(SegmenterUnavailableError, match="broke off after 50000"):
        get()
    server.break_after = []
    server.sent = 0
    assert get() == data
    assert server.sent == len(data) - 50_000


def test_a_whole_part_asks_for_nothing(get, data, server):
    """Killed between the last byte and unpacking."""
    assert get() == data
    server.asked.clear()
    assert get() == data
    assert server.asked == []


@pytest.mark.parametrize("how", ["ignores_range", "trusts_range"])
def test_another_file_under_the_same_name_is_never_glued_on(get, data, server, models, how):
    """Published anew between two fetches; one server keeps to the rules and one does not."""
    server.break_after = [50_000] + [0] * 3
    with pytest.raises(SegmenterUnavailableError):
        get()
    other = models.make_archive(models.LOCATE, seed=1)
    assert other[:50_000] != data[:50_000]
    server.break_after = []
    server.files[models.path_of(models.LOCATE)] = other
    server.etags[models.path_of(models.LOCATE)] = '"two"'
    setattr(server, how, True)
    assert get() == other


@pytest.mark.parametrize("etag", ['W/"weak"', None])
def test_without_a_strong_mark_it_begins_anew(get, data, server, models, etag):
    """Nothing promises that the bytes are the same."""
    server.etags[models.path_of(models.LOCATE)] = etag
    server.tells_validators = etag is not None
    server.trusts_range = True
    server.break_after = [50_000]
    assert get() == data
    assert server.ranges() == [None, None]


def test_a_server_without_ranges_is_read_from_the_start(get, data, server):
    """It answers 200 with everything."""
    server.ignores_range = True
    server.break_after = [50_000]
    assert get() == data
    assert server.sent == len(data) + 50_000


def test_a_part_longer_than_the_file_is_thrown_away(get, data):
    """Another program wrote to it."""
    assert get() == data
    get.part.file.write_bytes(data + b"more")
    assert get() == data


def test_a_length_that_is_not_told_is_no_failure(get, data, server):
    """Some mirrors send without one."""
    server.tells_length = False
    assert get() == data


def test_a_busy_server_is_asked_again(get, data, server):
    """503 twice, then the file."""
    server.statuses = [503, 429]
    assert get() == data
    assert len(server.asked) == 3


def test_patience_ends_exactly_at_its_limit(get, data, server):
    """Three failures in a row are the end; two are not."""
    server.statuses = [503] * 2
    assert get() == data
    get.part.remove()
    server.statuses = [503] * 3
    with pytest.raises(SegmenterUnavailableError, match=r"503 .*\(3 times in a row\)"):
        get()


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_there_is_asked_for_once(get, server, status):
    """The message names the address and what else can be done."""
    server.statuses = [status]
    with pytest.raises(SegmenterUnavailableError) as caught:
        get()
    assert len(server.asked) == 1
    assert str(status) in caught.value.line
    for word in ("HTTPS_PROXY", "OSTEOCT_WEIGHTS_MIRROR", "osteoct weights import"):
        assert word in caught.value.line


def test_a_server_that_is_not_there(one, monkeypatch):
    """The port of nobody."""
    one.place.path.mkdir()
    monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", "http://127.0.0.1:9")
    download = one.downloads[0]
    with pytest.raises(SegmenterUnavailableError, match="Connection refused"):
        transfer(
            mirrored(download.url),
            Part(place=one.place, download=download),
            check_size=lambda _: None,
            hear=lambda _: None,
            patience=QUICK,
        )


def test_the_size_is_judged_before_the_first_byte(get):
    """Hundreds of megabytes of the wrong file are not taken."""

    def refuse(size_bytes):
        raise SegmenterUnavailableError("wrong", found=size_bytes)

    with pytest.raises(SegmenterUnavailableError, match="wrong"):
        get(check_size=refuse)
    assert get.part.size_bytes == 0


def test_https_is_never_left_for_http():
    """A hash that is not known beforehand is only as good as the connection."""
    request = urllib.request.Request("https://github.com/a.zip")
    handler = _SafeRedirects()
    with pytest.raises(SegmenterUnavailableError, match="redirect from https"):
        handler.redirect_request(request, None, 302, "", {}, "http://elsewhere/a.zip")
    followed = handler.redirect_request(request, None, 302, "", {}, "https://elsewhere/a.zip")
    assert followed.full_url == "https://elsewhere/a.zip"


def test_a_proxy_is_used_where_one_is_named(get, data, server, server_kit, monkeypatch):
    """Only the proxy knows the server's name; ``no_proxy`` goes round it."""
    proxy = server_kit.make_proxy(server.url.removeprefix("http://"))
    with server_kit.running(proxy):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
        monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", "http://weights.invalid")
        url = mirrored(get.part.download.url)
        assert url.startswith("http://weights.invalid/wasserth/")
        transfer(url, get.part, check_size=lambda _: None, hear=lambda _: None, patience=QUICK)
        assert get.part.file.read_bytes() == data
        assert len(proxy.asked) == 1
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", server.url)
        assert get() == data
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "named", ["ftp://m/w", "m:80", "file:///w", "https://name:word@m/w", "https://m/w?token=1"]
)
def test_a_mirror_must_be_a_plain_address(named):
    """A password in it would be repeated in messages and notes."""
    with pytest.raises(ConfigError, match="OSTEOCT_WEIGHTS_MIRROR") as caught:
        mirrored("https://github.com/a/b.zip", {"OSTEOCT_WEIGHTS_MIRROR": named})
    assert "word" not in caught.value.line.replace("password", "")


@pytest.fixture
def certificate(tmp_path):
    """A certificate of our own for this machine, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate, and is not here")
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test")
    named = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file)
    subprocess.run(["openssl", *made, *named], check=True, capture_output=True)  # noqa: S603, S607 - ours
    return file, key


def test_https_needs_a_certificate_that_is_trusted(get, data, server, certificate, monkeypatch):
    """An authority of one's own is named by SSL_CERT_FILE; without it nothing is taken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", server.url.replace("http:", "https:"))
    with pytest.raises(SegmenterUnavailableError, match="SSL_CERT_FILE") as caught:
        get()
    assert "self" in caught.value.line
    assert server.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert get() == data


def test_a_silent_server_is_given_up(get, data, server, monkeypatch):
    """A firewall drops packets without a word: the next bytes are waited for a limited time."""
    monkeypatch.setattr("osteoct.segment.weights.web.TIMEOUT_S", 0.3)
    server.pause_s = 0.8
    threading.Timer(0.4, setattr, (server, "pause_s", 0.0)).start()
    told = []
    assert get(hear=told.append) == data
    assert any("within" in p.note for p in told if p.stage is Stage.RETRYING)
