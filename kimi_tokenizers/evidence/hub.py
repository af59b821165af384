"""Asking the hub which tokenizer files a repo has, and for the content of those that are needed.

It goes through `huggingface_hub` (its endpoint, tokens, proxies), takes nothing that it is told on trust, fetches
nothing but text of bounded size, and executes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence.changes import Change
from kimi_tokenizers.model_dirs import TOKENIZER_JSON_BYTES

# Files at the top of a repo that decide how text is tokenized and rendered; a listing may hold others.
_TOKENIZER_FILE = re.compile(
    r"(tokeniz|tiktoken|tool_declaration|chat_template|special_tokens|added_tokens|encoding_)[A-Za-z0-9._-]{0,80}"
    r"|(config|vocab|generation_config)\.json|merges\.txt"
)

MAX_ENTRIES = 10_000  # of a listing; Kimi-K2.6 has about a hundred files
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
    """Questions to the hub, each with a limit on time, size and tries.

    Args:
        endpoint, token: by default huggingface_hub's: `HF_ENDPOINT`, and `HF_TOKEN` or the token of a login.
        timeout: seconds for a connection or for the next bytes of an answer; a whole answer gets twenty times as long.
        longest_wait: seconds between tries, whatever `Retry-After` says.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
        longest_wait: float = 30.0,
    ) -> None:
        from huggingface_hub import constants

        self._endpoint = (endpoint or constants.ENDPOINT).rstrip("/")
        self._token, self._timeout, self._longest_wait = token, timeout, longest_wait

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
        budget = _MAX_LISTING_BYTES
        while url:
            data, after = self._get(url, budget)
            budget -= len(data)
            page = self._parsed(data, after)
            if not isinstance(page, list):
                raise HubError(Change.UNTRUSTED, f"The listing at {url} is a JSON {type(page).__name__}, not a list.")
            yield page
            if after and not after.startswith(self._endpoint + "/"):
                raise HubError(Change.UNTRUSTED, f"The listing goes on at another host: {after[:100]!r}.")
            url = after if page else None

    @staticmethod
    def _parsed(data: bytes, _: str | None) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise HubError(Change.UNTRUSTED, f"The hub's answer is not JSON: {error}.") from error

    def _get(self, url: str, limit: int) -> tuple[bytes, str | None]:
        """Body of an answer and the URL of the next page; tried again where that may help. Raises HubError."""
        for attempt in range(_TRIES):
            try:
                with self._open(url) as response:
                    status = response.status_code
                    if status == 200:
                        return self._body(response, limit, url), _next_page(response)
                    error = _refusal(url, status, str(response.headers.get("x-error-code", "")))
                    retry_after = response.headers.get("retry-after")
            except (HubError, TypeError, AttributeError, NameError):
                raise  # the latter are mistakes of ours
            except Exception as problem:  # of whichever HTTP library huggingface_hub uses
                error = HubError(Change.OFFLINE, f"{url}: {type(problem).__name__}: {str(problem)[:200]}")
                retry_after = None
                if type(problem).__name__ == "OfflineModeIsEnabled":
                    raise error from problem
            if error.change is not Change.OFFLINE:
                raise error
            if attempt + 1 < _TRIES:
                self._wait(attempt, retry_after)
        raise error

    def _wait(self, attempt: int, retry_after: str | None) -> None:
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else 0.5 * 2**attempt
        time.sleep(min(seconds, self._longest_wait))

    @contextmanager
    def _open(self, url: str) -> Iterator[Any]:
        from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined, unused-ignore]

        headers = {**build_hf_headers(token=self._token), "Accept-Encoding": "identity"}
        session: Any = get_session()
        if callable(getattr(session, "stream", None)):  # httpx, in huggingface_hub 1 and later
            with session.stream("GET", url, headers=headers, timeout=self._timeout, follow_redirects=True) as response:
                yield response
        else:
            with session.get(url, headers=headers, timeout=self._timeout, stream=True) as response:
                yield response

    def _body(self, response: Any, limit: int, url: str) -> bytes:
        deadline = time.monotonic() + 20 * self._timeout
        body = bytearray()
        blocks = response.iter_bytes() if hasattr(response, "iter_bytes") else response.iter_content(65536)
        for block in blocks:
            body += block
            if len(body) > limit:
                raise HubError(Change.UNTRUSTED, f"{url} sends more than the {limit:,} bytes that it may have.")
            if time.monotonic() > deadline:
                raise HubError(Change.OFFLINE, f"{url} takes more than {20 * self._timeout:.0f} s.")
        return bytes(body)


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
