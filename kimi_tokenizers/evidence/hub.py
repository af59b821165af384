"""Asking the hub which tokenizer files a repo has, and for the content of those that are needed.

It goes through `huggingface_hub` (its endpoint, tokens, proxies), takes nothing that it is told on trust, fetches
nothing but text of bounded size in a bounded time, keeps nothing, and executes nothing.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence.changes import Change
from kimi_tokenizers.model_dirs import TOKENIZER_JSON_BYTES, parse_json
from kimi_tokenizers.version import __version__

# Files at the top of a repo that decide how text is tokenized and rendered; a listing may hold others.
_TOKENIZER_FILE = re.compile(
    r"(tokeniz|tiktoken|tool_declaration|chat_template|special_tokens|added_tokens|encoding_)[A-Za-z0-9._-]{0,80}"
    r"|(config|vocab|generation_config)\.json|merges\.txt"
)

MAX_ENTRIES = 10_000  # of a listing; Kimi-K2.6 has about a hundred files
_MAX_TOKENIZER_FILES = 200  # among them
_MAX_PAGES = 100  # of a listing; a page has a thousand entries
_MAX_URL = 2000  # characters
_MAX_REDIRECTS = 5
_MAX_LISTING_BYTES = 16 * 1024 * 1024
_MAX_FILE_BYTES = TOKENIZER_JSON_BYTES
_TRIES = 4


class HubError(KimiTokenizersError):
    """The hub refuses, does not answer, or answers nonsense. `change` says which."""

    def __init__(self, change: Change, message: str) -> None:
        super().__init__(message)
        self.change = change


@dataclass(frozen=True)
class File:
    """A file as the hub lists it: `hash` is its SHA-256 ("sha256:…") or git's blob hash ("git:…")."""

    name: str
    size: int
    hash: str


class Client:
    """Questions to the hub, each with a limit on size and tries, and all of them with one on time.

    Args:
        endpoint, token: by default huggingface_hub's: `HF_ENDPOINT`, and `HF_TOKEN` or the token of a login.
        timeout: seconds for a connection or for the next bytes of an answer.
        deadline: seconds for everything that this client is asked, from the first question on.
        longest_wait: seconds between tries, whatever `Retry-After` says.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
        longest_wait: float = 30.0,
        deadline: float = 60.0,
    ) -> None:
        from huggingface_hub import constants

        self._endpoint = (endpoint or constants.ENDPOINT).rstrip("/")
        self._token, self._timeout, self._longest_wait = token, timeout, longest_wait
        self._deadline, self._ends = deadline, 0.0

    def listing(self, repo: str, revision: str, details: list[str]) -> tuple[dict[str, File], str]:
        """The tokenizer files of a revision, name -> file, and the commit that it is. Raises HubError.

        Entries whose names are no plain file names at the top are left out; `details` says so.
        """
        answer = self._json(f"/api/models/{repo}/revision/{quote(revision, safe='')}")
        commit = str(answer.get("sha", "")) if isinstance(answer, dict) else ""
        if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
            raise HubError(Change.UNTRUSTED, f"The hub names no commit for {repo} at {revision}: {commit[:80]!r}.")
        files: dict[str, File] = {}
        odd = entries = 0
        for page in self._pages(f"/api/models/{repo}/tree/{commit}"):
            entries += len(page)
            if entries > MAX_ENTRIES:
                raise HubError(Change.UNTRUSTED, f"The listing of {repo} has more than {MAX_ENTRIES:,} entries.")
            for entry in page:
                name = entry.get("path") if isinstance(entry, dict) else None
                if not isinstance(name, str) or name.startswith("/") or ".." in name.split("/") or "\0" in name:
                    odd += 1
                elif _TOKENIZER_FILE.fullmatch(name) and entry.get("type") == "file":
                    if name in files:
                        raise HubError(Change.UNTRUSTED, f"The listing of {repo} names {name} twice.")
                    files[name] = _file(repo, entry, name)
        if len(files) > _MAX_TOKENIZER_FILES:
            raise HubError(Change.UNTRUSTED, f"The listing of {repo} has {len(files):,} tokenizer files: too many.")
        if odd:
            details.append(f"The listing of {repo} has {odd} entries with impossible names; they were not looked at.")
        return files, commit

    def fetch(self, repo: str, revision: str, file: File) -> bytes:
        """A file's content, which is what the listing says of it. Raises HubError."""
        if file.size > _MAX_FILE_BYTES:
            raise HubError(Change.UNTRUSTED, f"{file.name} of {repo} has {file.size:,} bytes: not fetched.")
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(repo, file.name, revision=revision, endpoint=self._endpoint)
        for attempt in range(_TRIES):
            data, _ = self._get(url, file.size)
            header = b"blob %d\0" % len(data)
            git = hashlib.sha1(header + data, usedforsecurity=False).hexdigest()
            if file.hash in (f"git:{git}", f"sha256:{hashlib.sha256(data).hexdigest()}"):
                return data
            self._wait(attempt, None)
        raise HubError(
            Change.OFFLINE, f"{file.name} of {repo} arrives as {len(data):,} bytes that are not what is listed."
        )

    def _json(self, path: str) -> Any:
        return self._parsed(*self._get(self._endpoint + path, _MAX_LISTING_BYTES))

    def _pages(self, path: str) -> Iterator[list[Any]]:
        url: str | None = self._endpoint + path
        budget, pages = _MAX_LISTING_BYTES, 0
        while url:
            pages += 1
            if pages > _MAX_PAGES:
                raise HubError(Change.UNTRUSTED, f"The listing at {path} has more than {_MAX_PAGES} pages.")
            data, after = self._get(url, budget)
            budget -= len(data)
            page = self._parsed(data, after)
            if not isinstance(page, list):
                raise HubError(Change.UNTRUSTED, f"The listing at {url} is a JSON {type(page).__name__}, not a list.")
            yield page
            if after and (not after.startswith(self._endpoint + "/") or len(after) > _MAX_URL):
                raise HubError(Change.UNTRUSTED, f"The listing goes on at another host: {after[:100]!r}.")
            url = after if page else None

    @staticmethod
    def _parsed(data: bytes, _: str | None) -> Any:
        try:
            return parse_json(data, parse_int=_small, parse_constant=_small)
        except ValueError as error:
            raise HubError(Change.UNTRUSTED, f"The hub's answer is not JSON: {error}.") from error

    def _get(self, url: str, limit: int) -> tuple[bytes, str | None]:
        """Body of an answer and the URL of the next page; tried again where that may help. Raises HubError."""
        for attempt in range(_TRIES):
            retry_after = None
            try:
                return self._before_the_deadline(_Answer(self._request(), url, limit))
            except _RefusedError as refused:
                error, retry_after = refused.error, refused.retry_after
            except HubError:
                raise
            except (TypeError, AttributeError, NameError):
                raise  # mistakes of ours
            except Exception as problem:  # of whichever HTTP library huggingface_hub uses
                error = HubError(Change.OFFLINE, f"{url}: {type(problem).__name__}: {str(problem)[:200]}")
                if type(problem).__name__ == "OfflineModeIsEnabled":
                    raise error from problem
            if error.change is not Change.OFFLINE:
                raise error
            if attempt + 1 < _TRIES:
                self._wait(attempt, retry_after)
        raise error

    def _wait(self, attempt: int, retry_after: str | None) -> None:
        told = re.fullmatch("[0-9]{1,9}", retry_after or "")
        seconds = float(told[0]) if told else 0.5 * 2**attempt
        time.sleep(max(min(seconds, self._longest_wait, self._left()), 0))

    def _left(self) -> float:
        """Seconds until the deadline."""
        self._ends = self._ends or time.monotonic() + self._deadline
        return self._ends - time.monotonic()

    def _before_the_deadline(self, answer: _Answer) -> tuple[bytes, str | None]:
        """An answer, waited for until the deadline at most: what sends its headers byte by byte has no other limit."""
        left = self._left()
        if left > 0:
            answer.start()
            answer.ended.wait(left)
        if not answer.ended.is_set():
            answer.given_up = True
            raise HubError(
                Change.OFFLINE,
                f"{answer.url}: the hub took all of the {self._deadline:g} s that it has. Try again later, or give it "
                "more with --timeout.",
            )
        if answer.error is not None:
            raise answer.error
        return answer.body, answer.next_page

    def _request(self) -> Mapping[str, Any]:
        # Not `build_hf_headers`: it asks the hub for a list, and keeps whatever it gets in the user's home.
        from huggingface_hub import constants, get_token

        implicit = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        token = self._token or implicit
        headers = {"Accept-Encoding": "identity", "User-Agent": f"kimi-tokenizers/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return {"headers": headers, "timeout": self._timeout}


class _RefusedError(Exception):
    """An answer with another status than 200."""

    def __init__(self, error: HubError, retry_after: str | None) -> None:
        super().__init__(str(error))
        self.error, self.retry_after = error, retry_after


class _Answer(threading.Thread):
    """One answer, read in a thread, so that whoever waits for it can give it up. It ends with the process."""

    def __init__(self, request: Mapping[str, Any], url: str, limit: int) -> None:
        super().__init__(daemon=True)
        self.url, self._request, self._limit = url, dict(request), limit
        self.body = b""
        self.next_page: str | None = None
        self.error: Exception | None = None
        self.ended = threading.Event()
        self.given_up = False

    def run(self) -> None:
        try:
            self._ask()
        except Exception as error:  # for the thread that waits
            self.error = error
        self.ended.set()

    def _ask(self) -> None:
        url = self.url
        for _ in range(_MAX_REDIRECTS + 1):
            with _open(url, self._request) as response:
                status = response.status_code
                if status == 200:
                    self.body, self.next_page = self._read(response), _next_page(response)
                    return
                if status not in (301, 302, 303, 307, 308):
                    refusal = _refusal(url, status, str(response.headers.get("x-error-code", "")))
                    raise _RefusedError(refusal, response.headers.get("retry-after"))
                url = self._redirected(url, str(response.headers.get("location", "")))
        raise _RefusedError(HubError(Change.OFFLINE, f"{self.url} is redirected again and again."), None)

    def _redirected(self, url: str, location: str) -> str:
        """Where a redirect leads. Raises HubError unless that is the same origin, or the hub's own store of files."""
        try:
            target = urljoin(url, location)
            there, here = _origin(target), _origin(url)
        except ValueError:
            target, there, here = "", ("", "", None), ("", "", None)
        if len(target) <= _MAX_URL and there == here and target:
            return target
        if len(location) <= 8000 and _is_store(here, there):
            self._request["headers"] = {k: v for k, v in self._request["headers"].items() if k != "Authorization"}
            return target
        raise HubError(
            Change.UNTRUSTED,
            f"{url} is redirected to another origin, {location[:100]!r}, which is not followed. If that is where your "
            "hub is now, set HF_ENDPOINT to it.",
        )

    def _read(self, response: Any) -> bytes:
        body = bytearray()
        blocks = response.iter_bytes() if hasattr(response, "iter_bytes") else response.iter_content(65536)
        for block in blocks:
            body += block
            if len(body) > self._limit:
                message = f"{self.url} sends more than the {self._limit:,} bytes that it may have."
                raise HubError(Change.UNTRUSTED, message)
            if self.given_up:
                break
        return bytes(body)


@contextmanager
def _open(url: str, request: Mapping[str, Any]) -> Iterator[Any]:
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined, unused-ignore]

    session: Any = get_session()
    if callable(getattr(session, "stream", None)):  # httpx, in huggingface_hub 1 and later
        with session.stream("GET", url, follow_redirects=False, **request) as response:
            yield response
    else:
        with session.get(url, stream=True, allow_redirects=False, **request) as response:
            yield response


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _is_store(here: tuple[str, str, int | None], there: tuple[str, str, int | None]) -> bool:
    """Whether a redirect leads from the public hub to where it keeps large files; they are compared by their hashes."""
    public = here[0] == "https" and (here[1] == "huggingface.co" or here[1].endswith(".hf.co"))
    return public and there[0] == "https" and there[1].endswith((".hf.co", ".huggingface.co")) and there[2] == 443


def _small(text: str) -> int:
    """An int: to read one of millions of digits takes minutes. Raises ValueError for others, and for NaN."""
    if len(text) > 20:
        raise ValueError(f"{text[:20]} is no number that could be meant")
    return int(text)


def _next_page(response: Any) -> str | None:
    url = response.links.get("next", {}).get("url")
    return str(url) if url else None


def _refusal(url: str, status: int, code: str) -> HubError:
    what = f"{url} answers {status}" + (f" ({code[:60]})" if code else "")
    if code == "GatedRepo" or status == 403:
        return HubError(Change.GATED, f"{what}: set HF_TOKEN to a token that may read it.")
    if status in (401, 404, 410) or code in ("RepoNotFound", "RevisionNotFound", "EntryNotFound"):
        return HubError(Change.GONE, f"{what}: there is no such repo, revision or file (or the token may not see it).")
    if status == 429 or status >= 500:
        return HubError(Change.OFFLINE, f"{what}, {_TRIES} times. Try again later.")
    return HubError(Change.UNTRUSTED, f"{what}, which is not how a hub answers.")


def _file(repo: str, entry: Mapping[str, Any], name: str) -> File:
    lfs = entry.get("lfs")
    sha256, git = (lfs.get("oid"), None) if isinstance(lfs, dict) else (None, entry.get("oid"))
    size = entry.get("size")
    if not isinstance(size, int) or size < 0 or not re.fullmatch(r"[0-9a-f]{40,64}", str(sha256 or git)):
        raise HubError(Change.UNTRUSTED, f"The listing of {repo} gives no size and hash for {name}.")
    return File(name, size, f"sha256:{sha256}" if sha256 else f"git:{git}")
