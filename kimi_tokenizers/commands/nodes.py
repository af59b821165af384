"""One node: its name, one ssh connection to it, and what goes over that connection.

The connection carries a short program (`on_node.py`), the one file, and requests; see there. Where it ends before its
time, for whatever reason, the program on the node notices and clears up. Nothing that a node sends is believed here:
how much it may send and how long it may take are bounded, and what it means is for `answers` to check.
"""

from __future__ import annotations

import contextlib
import json
import os
import pkgutil
import re
import secrets
import selectors
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from kimi_tokenizers.commands.answers import json_of
from kimi_tokenizers.errors import NodeError
from kimi_tokenizers.escaping import escaped

LOCAL = "localhost"
"""The node that needs no ssh."""

MAX_NAME = 255
MAX_OUTPUT = 8 * 1024 * 1024
"""Bytes that a node may send altogether. Ours sends less, and a banner is short."""

_MAX_ERRORS = 4096  # the last bytes of standard error, which say why ssh failed
_GRACE = 5.0  # seconds for the node to clear up before ssh is ended
_TICK = 0.1  # seconds after which a stop is noticed

_NAME = re.compile(r"(?:ssh://)?(?:(?!-)[\w.+=,%~-]+@)?(?!-)[\w.:%\[\]-]+/?")

# It has to run on every Python 3, and to stand in single quotes: no quote of that kind, backslash or exclamation mark.
_LOADER = (
    "import sys;r=sys.stdin.buffer;m,n=r.readline().decode().split();v=sys.version_info;"
    'print();print(m+"%s"%list(v[:3]),flush=True);v>=(3,9)and exec(r.read(int(n)))'
)
_PYTHON = ["-I", "-X", "utf8", "-c", _LOADER]
_NO_PYTHON = 127

REMOTE_COMMAND = (
    "sh -c 'command -v python3 >/dev/null 2>&1 || exit 127; "
    f"exec python3 {' '.join(_PYTHON[:-1])} \"$1\"' kimi-tokenizers '{_LOADER}'"
)
"""What ssh hands to the login shell: the same command for sh, bash, zsh, fish, csh and tcsh."""


class StoppedError(Exception):
    """The user wants no more of it."""


def objection(name: str) -> str | None:
    """Why a text cannot be the name of a node; None if it can. ssh is never shown one that cannot."""
    if not name:
        return "it is empty"
    if name.startswith("-"):
        return "it begins like an option"
    if len(name) > MAX_NAME:
        return f"it has more than {MAX_NAME} characters"
    if not _NAME.fullmatch(name):
        return "a node is named as for ssh: host, user@host, ssh://user@host:port or an alias of your ssh configuration"
    return None


class Connection:
    """A connection to a node on which the one file can be run.

    Args:
        ssh: the command and its options; not used for `localhost`.
        one_file: the one file's bytes.
        timeout: seconds that connecting, and each request, may take.
        stop: once it is set, every wait ends with StoppedError.
    """

    def __init__(self, node: str, ssh: Sequence[str], one_file: bytes, timeout: float, stop: threading.Event) -> None:
        self.node = node
        self.python = ""
        self._by_hand = shlex.join([*ssh, node])
        self._timeout = timeout
        self._stop = stop
        self._marker = secrets.token_hex(16).encode("ascii")
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._total = 0
        self._errors = bytearray()
        argv = [sys.executable, *_PYTHON] if node == LOCAL else [*ssh, "--", node, REMOTE_COMMAND]
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Many at once cannot ask for passwords, so they get no terminal; Ctrl-C is passed on by `abort`.
                start_new_session=True,
                env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NodeError(f"{argv[0]!r} cannot be started: {reason}. Name the command with --ssh.") from error
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        try:
            self._open(one_file)
        except BaseException:
            self.abort()
            raise

    def _open(self, one_file: bytes) -> None:
        program = pkgutil.get_data("kimi_tokenizers.commands", "on_node.py") or b""
        header = {"marker": self._marker.decode(), "size": len(one_file), "seconds": int(self._timeout) + 1}
        first = b"%s %d\n%s%s\n%s" % (self._marker, len(program), program, json.dumps(header).encode(), one_file)
        deadline = time.monotonic() + self._timeout
        version = self._exchange(first, deadline)
        if not (isinstance(version, list) and [*map(type, version)] == [int] * 3):
            raise NodeError("It answered with something that is no version of Python.")
        self.python = ".".join(map(str, version))
        if version[:2] < [3, 9]:
            raise NodeError(
                f"Its python3 is Python {self.python}; 3.9 or newer is needed. Install one, or put it first on the "
                "PATH of a non-interactive shell."
            )
        ready = self._exchange(b"", deadline)
        if ready != {"ready": True}:
            why = ready.get("no_room") if isinstance(ready, dict) else ready
            raise NodeError(f"There is no place for a temporary file on it ({why}). Make room, or set TMPDIR there.")

    def ask(self, request: dict[str, Any]) -> Any:
        """Send a request and return what is answered, unchecked. Raises NodeError, StoppedError."""
        return self._exchange(json.dumps(request).encode("ascii") + b"\n", time.monotonic() + self._timeout)

    def close(self) -> None:
        """Have everything removed there, and end the connection. Raises NodeError if something is left."""
        left = self.ask({"end": True})
        if left != {"left": None}:
            where = left.get("left") if isinstance(left, dict) else left
            raise NodeError(f"The temporary folder {where!r} could not be removed from it. Remove it.")
        self._end(_GRACE)

    def abort(self) -> None:
        """End the connection now; the node clears up by itself, and is given a little time for it."""
        self._end(0.0 if self._total > MAX_OUTPUT else _GRACE)

    # -- the process -----------------------------------------------------------------------------------

    def _exchange(self, data: bytes, deadline: float) -> Any:
        """Send data and wait for the next line that begins with the marker."""
        self._unsent = memoryview(data) if data else self._unsent
        while True:
            answer = self._answer()
            if answer is not None:
                break
            if self._stop.is_set():
                raise StoppedError
            if time.monotonic() > deadline:
                raise NodeError(
                    f"It did not answer within {self._timeout:g} seconds.{self._said()} "
                    "Is it asleep? --timeout gives it longer."
                )
            if self._pump():
                answer = self._answer()
                if answer is None:
                    raise NodeError(self._why_it_ended(deadline))
                break
            if self._total > MAX_OUTPUT:
                raise NodeError(
                    f"It sent more than {MAX_OUTPUT:,} bytes, which is no answer; the connection was ended."
                )
        try:
            return json_of(answer)
        except ValueError as error:
            raise NodeError("It answered with something that is not JSON, or too deep or large.") from error

    def _answer(self) -> bytes | None:
        """Take the next answer out of what was received."""
        start = self._received.find(self._marker)
        if start < 0:
            del self._received[: -len(self._marker)]
            return None
        end = self._received.find(b"\n", start)
        if end < 0:
            return None
        answer = bytes(self._received[start + len(self._marker) : end])
        del self._received[: end + 1]
        return answer

    def _pump(self) -> bool:
        """Move what can be moved now. Whether standard output has ended."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        ended = False
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not process.stderr.closed:
                selector.register(process.stderr, selectors.EVENT_READ)
            if self._unsent and not process.stdin.closed:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            for key, _ in selector.select(_TICK):
                if key.fileobj is process.stdin:
                    self._send()
                    continue
                data = os.read(key.fd, 65536)
                self._total += len(data)
                if key.fileobj is process.stdout:
                    self._received += data
                    ended = not data
                elif data:
                    self._errors = (self._errors + data)[-_MAX_ERRORS:]
                else:
                    process.stderr.close()
        return ended

    def _send(self) -> None:
        assert self._process.stdin is not None
        try:
            self._unsent = self._unsent[os.write(self._process.stdin.fileno(), self._unsent[:65536]) :]
        except BlockingIOError:
            pass
        except OSError:  # nobody reads it any more; why, standard output and the exit status will say
            self._unsent = self._unsent[:0]

    def _end(self, seconds: float) -> None:
        """Let the process end: by the end of its input first, which the node sees, too; then by signals."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        self._wait(seconds)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, number)
                self._wait(1.0)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _wait(self, seconds: float) -> None:
        """Wait for the process to end. What it still writes is read, so that it can."""
        until = time.monotonic() + seconds
        ended = False
        while self._process.poll() is None and time.monotonic() < until:
            if ended or self._total > MAX_OUTPUT:
                time.sleep(_TICK)
            else:
                ended = self._pump()
                self._received.clear()

    def _why_it_ended(self, deadline: float) -> str:
        self._wait(max(0.0, min(_GRACE, deadline - time.monotonic())))
        status, said = self._process.poll(), self._said()
        if self.python:
            return f"The connection was cut before it had answered.{said} Try again: `sync` finishes what was begun."
        if status == _NO_PYTHON or "xcode-select" in said:
            return f"It has no python3 on the PATH of a non-interactive shell.{said} Install Python 3.9 or newer there."
        if self.node == LOCAL:
            return f"Python ended with status {status} before it had answered.{said}"
        if status == 255:
            return f"ssh could not connect.{said} Try: {self._by_hand} true"
        return f"It ended with status {status} before it had answered.{said} Try: {self._by_hand} python3 --version"

    def _said(self) -> str:
        """The last line of standard error, as a sentence to be added."""
        lines = self._errors.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" It said: {escaped(last[-300:])}" + ("" if last.endswith(".") else ".") if last else ""
