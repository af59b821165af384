"""A small model hub on loopback that answers what downloaders ask of the real one.

It serves repos from memory, and a repo's files can be replaced while it runs, as upstream did on
2026-05-11. Every layout stays reachable under its commit. It must never talk to any other machine.

    with Hub() as hub:
        hub.publish("moonshotai/Kimi-K2.6", {"config.json": b"{}"})
        urlopen(hub.url + "/moonshotai/Kimi-K2.6/resolve/main/config.json")
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE_FILES = (".safetensors", ".model")
"""Files of these kinds are listed with an `lfs` entry and have their SHA-256 as ETag."""

_API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/(tree|revision)/([^/]+))?")
_UPLOAD = re.compile(r"/api/(?:repos/create|models/([^/]+/[^/]+)/(preupload|commit)/main)")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def files_of(directory: Path) -> dict[str, bytes]:
    """The files below a directory, as `Hub.publish` takes them."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def blob_id(name: str, content: bytes) -> str:
    """What the hub calls a content: SHA-256 for a large file, git's blob hash for another."""
    if name.endswith(LARGE_FILES):
        return hashlib.sha256(content).hexdigest()
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@dataclass
class Fault:
    """How a hub answers wrongly: the next `times` requests whose path (with query) `pattern` is found in.

    Attributes:
        status, headers, body: the answer; without a `body`, that of the honest one.
        stall: seconds of silence before it.
        cut: how many bytes of the body are left out, in spite of Content-Length.
        drip: "headers" or "body" of it come byte by byte, and never end.
    """

    pattern: str
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stall: float = 0
    cut: int = 0
    drip: str = ""


class Hub:
    """A running hub. `requests` lists what it was asked, as `"METHOD /path?query"`.

    It is honest but for the `faults` that a test puts in; each is used up after so many times.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.faults: list[Fault] = []
        self._over = threading.Event()
        self._revisions: dict[tuple[str, str], tuple[str, dict[str, bytes]]] = {}
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._running = False

    @property
    def url(self) -> str:
        """Where the hub is, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def publish(self, repo: str, files: Mapping[str, bytes]) -> str:
        """Make `files` what the repo's `main` is from now on. Returns the commit."""
        text = repo + "".join(f"\n{n} {blob_id(n, files[n])}" for n in sorted(files))
        commit = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._revisions[repo, commit] = self._revisions[repo, "main"] = (commit, dict(files))
        return commit

    def revision(self, repo: str, name: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit and the files of a branch or commit, or None if there is no such thing."""
        return self._revisions.get((repo, name))

    def asked_for(self, method: str, file: str) -> int:
        """How many requests of that method were made for a file of any repo."""
        return sum(line.startswith(f"{method} ") and line.split("?")[0].endswith(f"/{file}") for line in self.requests)

    def next_fault(self, path: str) -> Fault | None:
        """The fault that a request meets, which is then used up once more."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.pattern, path):
                fault.times -= 1
                return fault
        return None

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the hub runs."""
        self._over.wait(seconds)

    def stop(self) -> None:
        """Go offline: connections are refused from now on."""
        self._over.set()
        if self._running:
            self._running = False
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Hub:
        self._running = True
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def tree(files: Mapping[str, bytes], *, recursive: bool) -> list[dict[str, Any]]:
    """The list of a repo's entries: directories, and files with size, oid and perhaps lfs."""
    folders = {parent.as_posix() for name in files for parent in Path(name).parents} - {"."}
    entries = [{"type": "directory", "path": path, "size": 0, "oid": ""} for path in folders]
    entries += [_file_entry(name, content) for name, content in files.items()]
    shown = [entry for entry in entries if recursive or "/" not in str(entry["path"])]
    return sorted(shown, key=lambda entry: str(entry["path"]))


def _file_entry(name: str, content: bytes) -> dict[str, Any]:
    oid = blob_id(name, content)
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": oid}
    if name.endswith(LARGE_FILES):
        entry["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 134}
    return entry


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The half-open span that a Range header asks for, or None if it cannot be given."""
    match = _RANGE.fullmatch(header)
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    return (start, stop) if start < stop else None


def _handler_for(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; anything else is a mistake in here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    fault: Fault | None = None
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        """An upload as huggingface_hub makes one: a repo, a question about the files, a commit with all of them."""
        self.hub.requests.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match = _UPLOAD.fullmatch(urlsplit(self.path).path)
        if self.path == "/api/validate-yaml":  # of a model card
            self._send(HTTPStatus.OK, {"Content-Type": "application/json"}, b'{"errors": [], "warnings": []}')
            return
        if match is None:
            self._refuse("EntryNotFound")
            return
        repo, what = match.groups()
        answer: dict[str, Any] = {}
        if what is None:
            named = json.loads(body)
            repo = f"{named['organization']}/{named['name']}"
            answer = {"url": f"{self.hub.url}/{repo}", "name": repo}
            self.hub.publish(repo, {})
        elif what == "preupload":
            files = [file["path"] for file in json.loads(body)["files"]]
            answer = {"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]}
        else:
            _, *entries = map(json.loads, body.splitlines())
            sent = {entry["value"]["path"]: base64.b64decode(entry["value"]["content"]) for entry in entries}
            found = self.hub.revision(repo, "main")
            commit = self.hub.publish(repo, {**(found[1] if found else {}), **sent})
            answer = {"commitUrl": f"{self.hub.url}/{repo}/commit/{commit}", "commitOid": commit}
        self._send(HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name in the base class)
        """Say nothing on standard error: `Hub.requests` is the log."""

    def _answer(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        self.hub.headers.append(dict(self.headers))
        self.fault = self.hub.next_fault(self.path)
        if self.fault is not None:
            self.hub.sleep(self.fault.stall)
            if self.fault.status is not None:
                self._send(HTTPStatus(self.fault.status), self.fault.headers, self.fault.body or b"")
                return
        url = urlsplit(self.path)
        path = unquote(url.path)
        if match := _API.fullmatch(path):
            repo, kind, revision = match.groups()
            query = parse_qs(url.query)
            recursive = query.get("recursive", ["false"])[0].lower() in {"true", "1"}
            self._answer_api(repo, kind, revision or "main", recursive=recursive)
        elif match := _RESOLVE.fullmatch(path):
            self._answer_resolve(*match.groups())
        else:
            self._refuse("RepoNotFound")

    def _answer_api(self, repo: str, kind: str | None, revision: str, *, recursive: bool) -> None:
        found = self.hub.revision(repo, revision)
        if found is None:
            self._refuse("RevisionNotFound" if self.hub.revision(repo, "main") else "RepoNotFound")
            return
        commit, files = found
        answer: Any = tree(files, recursive=recursive)
        if kind != "tree":
            siblings = [{"rfilename": name} for name in sorted(files)]
            answer = {"id": repo, "modelId": repo, "sha": commit, "siblings": siblings}
        headers = {"Content-Type": "application/json"}
        self._send(HTTPStatus.OK, headers, json.dumps(answer).encode())

    def _answer_resolve(self, repo: str, revision: str, file: str) -> None:
        found = self.hub.revision(repo, revision)
        if found is None:
            self._refuse("RevisionNotFound" if self.hub.revision(repo, "main") else "RepoNotFound")
            return
        commit, files = found
        if file not in files:
            self._refuse("EntryNotFound", {"X-Repo-Commit": commit})
            return
        content = files[file]
        headers = {
            "Content-Type": "application/octet-stream",
            "ETag": f'"{blob_id(file, content)}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range") if self.command == "GET" else None
        if wanted is None:
            self._send(HTTPStatus.OK, headers, content)
        elif span := _span(wanted, len(content)):
            headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{len(content)}"
            self._send(HTTPStatus.PARTIAL_CONTENT, headers, content[slice(*span)])
        else:
            headers["Content-Range"] = f"bytes */{len(content)}"
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, b"")

    def _refuse(self, code: str, headers: Mapping[str, str] | None = None) -> None:
        self._send(HTTPStatus.NOT_FOUND, {**(headers or {}), "X-Error-Code": code}, b"not found")

    def _send(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> None:
        cut = self.fault.cut if self.fault is not None else 0
        with contextlib.suppress(ConnectionError):  # whoever asked has lost patience
            self._write(status, headers, body, len(body) - cut)
        self.close_connection = self.close_connection or cut > 0

    def _drip(self, what: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + (b"\r\n" if what == "body" else b""))
        for _ in range(2000):  # as many as a patient client takes without a deadline
            self.wfile.write(b"X")
            self.hub.sleep(0.02)

    def _write(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes, end: int) -> None:
        if self.fault is not None and self.fault.drip:
            self._drip(self.fault.drip)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:end])
