"""Serves a folder over HTTPS and HTTP, and fails on request, so that tests meet the faults of a
real download.

The first parts of a path choose the faults; the rest is the file:

    /slow/PATH       a quarter MiB a second
    /truncated/PATH  all headers, half of the body, then the connection ends
    /flaky/PATH      503 twice for each client and path, then the file, and so on again
    /redirect/PATH   302 to PATH
    /norange/PATH    the whole file whatever range was asked for
    /corrupt/PATH    one byte of the body is wrong
    /hang/PATH       a connection that never answers

Each answer is one JSON line in the log, with the bytes of body that were sent.
"""

import argparse
import collections
import email.utils
import http.server
import json
import os
import re
import ssl
import threading
import time

CHUNK = 64 * 1024
SLOW_BYTES_A_SECOND = 256 * 1024
FAULTS = {"slow", "truncated", "flaky", "redirect", "norange", "corrupt", "hang"}
RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Refusals:
    """Counts how often a flaky path was refused to a client."""

    def __init__(self, times):
        self.times = times
        self.seen = collections.Counter()
        self.lock = threading.Lock()

    def refuse(self, key):
        with self.lock:
            self.seen[key] += 1
            if self.seen[key] <= self.times:
                return True
            del self.seen[key]
            return False


def split_faults(path):
    """Takes the faults off the front of a path."""
    parts = path.split("?", 1)[0].lstrip("/").split("/")
    faults = []
    while parts and parts[0] in FAULTS:
        faults.append(parts.pop(0))
    return faults, "/" + "/".join(parts)


def wanted_span(header, size):
    """The first byte and the end of what a Range header asks for, or None when it cannot be met."""
    match = RANGE.match(header or "")
    if not match or match.group(1) == match.group(2) == "":
        return 0, size
    first, last = match.groups()
    if first == "":
        return max(0, size - int(last)), size
    start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self):
        self.answer(body=True)

    def do_HEAD(self):
        self.answer(body=False)

    def answer(self, body):
        self.sent, self.status = 0, None
        faults, path = split_faults(self.path)
        try:
            self.answer_file(faults, path, body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True
        finally:
            self.server.record(self, faults, path)

    def answer_file(self, faults, path, body):
        if "hang" in faults:
            time.sleep(self.timeout)
            self.close_connection = True
            return
        if "redirect" in faults:
            return self.answer_empty(302, Location=path)
        if "flaky" in faults and self.server.refusals.refuse((self.client_address[0], path)):
            return self.answer_empty(503, **{"Retry-After": "1"})
        root = os.path.realpath(self.server.root)
        file = os.path.realpath(root + path)
        if not file.startswith(root + os.sep) or not os.path.isfile(file):
            return self.answer_empty(404)
        self.answer_span(faults, file, body)

    def answer_span(self, faults, file, body):
        facts = os.stat(file)
        tag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
        about = {
            "ETag": tag,
            "Last-Modified": email.utils.formatdate(facts.st_mtime, usegmt=True),
            "Accept-Ranges": "none" if "norange" in faults else "bytes",
        }
        if self.headers.get("If-None-Match") == tag:
            return self.answer_empty(304, **about)
        asked = self.headers.get("Range")
        if "norange" in faults or self.headers.get("If-Range", tag) != tag:
            asked = None
        span = wanted_span(asked, facts.st_size)
        if span is None:
            return self.answer_empty(416, **{"Content-Range": f"bytes */{facts.st_size}"})
        start, end = span
        self.status = 206 if asked else 200
        self.send_response(self.status)
        if asked:
            about["Content-Range"] = f"bytes {start}-{end - 1}/{facts.st_size}"
        about["Content-Type"] = "application/octet-stream"
        about["Content-Length"] = str(end - start)
        for name, value in about.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.send_body(faults, file, start, end)

    def send_body(self, faults, file, start, end):
        stop = start + (end - start) // 2 if "truncated" in faults else end
        with open(file, "rb") as source:
            source.seek(start)
            while start < stop:
                chunk = bytearray(source.read(min(CHUNK, stop - start)))
                if "corrupt" in faults and self.sent == 0:
                    chunk[len(chunk) // 2] ^= 0xFF
                self.wfile.write(chunk)
                self.sent += len(chunk)
                start += len(chunk)
                if "slow" in faults:
                    time.sleep(len(chunk) / SLOW_BYTES_A_SECOND)
        if "truncated" in faults:
            self.close_connection = True

    def answer_empty(self, status, **headers):
        self.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address, root, log, refusals, context=None):
        super().__init__(address, Handler)
        self.root, self.log, self.refusals, self.context = root, log, refusals, context

    def finish_request(self, request, client_address):
        # The handshake happens in the connection's own thread: a silent client holds up no other.
        if self.context:
            request.settimeout(Handler.timeout)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return
        super().finish_request(request, client_address)

    def record(self, handler, faults, path):
        line = {
            "time": round(time.time(), 3),
            "scheme": "https" if self.context else "http",
            "client": handler.client_address[0],
            "method": handler.command,
            "path": path,
            "faults": faults,
            "range": handler.headers.get("Range"),
            "status": handler.status,
            "sent": handler.sent,
        }
        os.write(self.log, (json.dumps(line) + "\n").encode())


def main():
    arguments = argparse.ArgumentParser()
    for name in ("root", "address", "certificate", "key", "log"):
        arguments.add_argument(f"--{name}", required=True)
    for name in ("https", "http"):
        arguments.add_argument(f"--{name}", type=int, required=True)
    given = arguments.parse_args()
    log = os.open(given.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.certificate, given.key)
    refusals = Refusals(times=2)
    plain = Server((given.address, given.http), given.root, log, refusals)
    secure = Server((given.address, given.https), given.root, log, refusals, context)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    secure.serve_forever()


main()
