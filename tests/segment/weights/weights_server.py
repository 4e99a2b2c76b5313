"""A server of archives on loopback that can misbehave in every way a server does, and a proxy."""

from __future__ import annotations

import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Archives(ThreadingHTTPServer):
    """Files by path; what was asked and how much was sent is kept."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.etags = {}
        self.asked = []
        self.sent = 0
        self.statuses = []
        self.break_after = []
        self.ignores_range = False
        self.trusts_range = False
        self.tells_validators = True
        self.tells_length = True
        self.pause_s = 0.0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self):
        """The ``Range`` of each request so far."""
        return [headers.get("Range") for _, headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        server, path = self.server, self.path.partition("?")[0]
        server.asked.append((path, dict(self.headers)))
        if server.statuses and (status := server.statuses.pop(0)) != 200:
            self._refuse(status, {"Retry-After": "0"})
        elif path not in server.files:
            self._refuse(404, {})
        else:
            self._send(server.files[path], server.etags.get(path, '"one"'))

    def _refuse(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, data, etag):
        server = self.server
        start = self._start(etag)
        if start is not None and start >= len(data):
            self._refuse(416, {"Content-Range": f"bytes */{len(data)}"})
            return
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if server.tells_validators:
            self.send_header("ETag", etag)
        body = data[start or 0 :]
        if server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self._write(body[: server.break_after.pop(0)] if server.break_after else body, len(body))

    def _start(self, etag):
        """First byte that is asked for; ``None`` for all of it."""
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range") == etag or self.server.trusts_range
        if asked is None or self.server.ignores_range or not same:
            return None
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def _write(self, body, length):
        try:
            for at in range(0, len(body), 2**14):
                # counted before: who has read the last byte may look at once
                self.server.sent += len(body[at : at + 2**14])
                self.wfile.write(body[at : at + 2**14])
                if self.server.pause_s:
                    time.sleep(self.server.pause_s)
        except OSError:
            length = -1
        if len(body) != length or not self.server.tells_length:
            self.close_connection = True


class _Proxy(BaseHTTPRequestHandler):
    """Forwards plain http as a proxy does: the request line holds the whole address."""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        self.server.asked.append(self.path)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        target = self.path.replace("weights.invalid", self.server.target)
        with opener.open(target, timeout=10) as answer:
            data = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def running(server):
    """A server in a thread of its own; it ends with the block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def make_proxy(target):
    """A proxy that knows the name ``weights.invalid`` and nobody else does."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    proxy.daemon_threads = True
    proxy.asked, proxy.target = [], target
    return proxy
