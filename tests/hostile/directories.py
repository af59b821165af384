"""Hostile and careless model directories, a builder for each kind: `KINDS`, by name.

A builder is given a place with a models dir in it, and beside that what nobody may touch, read or tell, and returns the
model directory that it wrote. None needs rights that an ordinary user has not got.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import py_compile
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile.journals import DAMAGED, ESCAPES, JOURNALS, honest
from layouts import INDEX, WEIGHTS, write_layout

MODEL, FOLDER = "moonshotai/Kimi-K2.6", "moonshotai--Kimi-K2.6"
SECRET = "SECRET-d41d8cd98f00b204"
TERABYTE = 1 << 40

# What else is read beside the tokenizer files, and some of what would be: of each a kind for each of `_special`.
BESIDE = ("kimi_line.json", "added_tokens.json", "generation_config.json", "additional_chat_templates/tool_use.jinja")

TOKENIZER_FILES = (
    *("tokenizer_config.json", "chat_template.jinja", "tiktoken.model", "tokenization_kimi.py", "config.json"),
    *("tool_declaration_ts.py", "tokenizer.json"),
)


class Place:
    """A models dir, and beside it the files of others.

    Attributes:
        models: the models dir.
        outside: a folder with a private file (`token`), a folder of somebody else (`foreign`), and a weight of a
            terabyte, which is sparse: whoever reads it does not come back.
        canary: what any Python that comes with a directory writes to.
        prepared: the honest model directory that each builder spoils a copy of; None for one of a layout.
    """

    def __init__(self, root: Path, prepared: Path | None = None) -> None:
        self.prepared = prepared
        self.models, self.outside, self.canary = root / "models", root / "outside", root / "canary"
        self.models.mkdir(parents=True)
        (self.outside / "foreign").mkdir(parents=True)
        for name in TOKENIZER_FILES:
            (self.outside / "foreign" / name).write_text(f"somebody else's {name}")
        (self.outside / "foreign" / "1-tokenizer_config.json").write_text("somebody else's, too")
        token = self.outside / "token"
        token.write_text(f'{{"chat_template": "{SECRET}"}}')
        token.chmod(0o600)
        sparse(self.outside / "weight.safetensors")

    def model(self, layout: str = "broken") -> Path:
        """An honest model directory, to be spoilt."""
        if self.prepared is not None:
            return Path(shutil.copytree(self.prepared, self.models / FOLDER))
        return write_layout(self.models / FOLDER, layout)

    def python(self) -> str:
        """Python that tells when it is executed."""
        return f"open({str(self.canary)!r}, 'a').write(__name__ + ' ' + __file__ + chr(10))\n"


Builder = Callable[[Place], Path]


KINDS: dict[str, Builder] = {}


def kind(name: str) -> Callable[[Builder], Builder]:
    """Enter a builder in `KINDS`."""

    def enter(builder: Builder) -> Builder:
        KINDS[name] = builder
        return builder

    return enter


def sparse(path: Path, size: int = TERABYTE) -> None:
    """A file that takes no room, of that many bytes (or as many as the file system allows)."""
    with path.open("wb") as file:
        while True:
            try:
                file.truncate(size)
                return
            except OSError:
                size //= 2


def put(model_dir: Path, name: str, content: bytes | str | object) -> None:
    """Write a file in the place of whatever is there: bytes and text as they are, all else as JSON."""
    path = model_dir / name
    path.unlink(missing_ok=True)
    text = content if isinstance(content, (bytes, str)) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))


def changed(model_dir: Path, name: str, **values: Any) -> Path:
    """Set values in a file that holds a JSON object."""
    put(model_dir, name, json.loads((model_dir / name).read_text("utf-8")) | values)
    return model_dir


# Links that lead out


@kind("the record is a link")
def record_is_a_link(place: Place) -> Path:
    model_dir = place.model()
    (model_dir / ".kimi-tokenizers").symlink_to(place.outside / "foreign")
    return model_dir


@kind("the folder of backups is a link")
def backup_is_a_link(place: Place) -> Path:
    """As a git clone keeps one."""
    model_dir = place.model()
    (model_dir / ".kimi-tokenizers").mkdir()
    (model_dir / ".kimi-tokenizers" / "backup").symlink_to(place.outside / "foreign")
    return model_dir


@kind("the lock and the journal are links")
def lock_and_journal_are_links(place: Place) -> Path:
    model_dir = place.model()
    (model_dir / ".kimi-tokenizers").mkdir()
    for name, target in (("lock", "token"), ("journal.json", "token"), ("restored.json", "foreign/config.json")):
        (model_dir / ".kimi-tokenizers" / name).symlink_to(place.outside / target)
    return model_dir


@kind("temporary names are links")
def temporary_names_are_links(place: Place) -> Path:
    model_dir = place.model()
    for name in TOKENIZER_FILES:
        (model_dir / f".kimi-tokenizers-{name}.tmp").symlink_to(place.outside / "foreign" / name)
        (model_dir / f".kimi-tokenizers-new-{name}.tmp").symlink_to(place.outside / "foreign" / name)
    return model_dir


@kind("temporary names are folders")
def temporary_names_are_folders(place: Place) -> Path:
    model_dir = place.model()
    (model_dir / ".kimi-tokenizers-tokenization_kimi.py.tmp").mkdir()
    return model_dir


@kind("every tokenizer file is a link to somebody else's")
def files_are_links(place: Place) -> Path:
    model_dir = place.model()
    for name in ("tokenizer_config.json", "tokenization_kimi.py", "tool_declaration_ts.py"):
        (model_dir / name).unlink(missing_ok=True)
        (model_dir / name).symlink_to(place.outside / "foreign" / name)
    return model_dir


@kind("a private file behind a name that no tokenizer has")
def private_file_behind_a_name(place: Place) -> Path:
    model_dir = place.model()
    for name in ("x.json", "notes.txt", "merges.jinja"):
        (model_dir / name).symlink_to(place.outside / "token")
    return model_dir


@kind("a private file behind the chat template")
def private_file_behind_the_template(place: Place) -> Path:
    model_dir = place.model()
    (model_dir / "chat_template.jinja").unlink()
    (model_dir / "chat_template.jinja").symlink_to(place.outside / "token")
    return model_dir


@kind("loops of links")
def loops_of_links(place: Place) -> Path:
    model_dir = place.model()
    for name in ("chat_template.jinja", "tokenizer_config.json", ".kimi-tokenizers", "tokenizer.json"):
        (model_dir / name).unlink(missing_ok=True)
        (model_dir / name).symlink_to(name)
    return model_dir


# Files of another kind, or without an end


def _special(name: str) -> dict[str, Builder]:
    def cleared(place: Place) -> Path:
        path = place.model() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return path

    def spoilt(spoil: Callable[[Place, Path], Any]) -> Builder:
        def build(place: Place) -> Path:
            spoil(place, cleared(place))
            return place.models / FOLDER

        return build

    def folder(place: Place, path: Path) -> None:
        path.mkdir()
        (path / "file").write_text("inside")

    return {
        "a FIFO": spoilt(lambda place, path: os.mkfifo(path)),
        "a link to a device": spoilt(lambda place, path: path.symlink_to("/dev/zero")),
        "a terabyte": spoilt(lambda place, path: sparse(path)),
        "a link to a weight": spoilt(lambda place, path: path.symlink_to(place.outside / "weight.safetensors")),
        "a folder": spoilt(folder),
    }


for _name in (*TOKENIZER_FILES, *BESIDE, INDEX):
    KINDS.update({f"{_name} is {_what}": _build for _what, _build in _special(_name).items()})


# Code that would run


@kind("modules that exo would import first")
def modules(place: Place) -> Path:
    model_dir = place.model()
    for name in ("tiktoken", "transformers", "jinja2", "sitecustomize", "regex", "kimi_tokenizers", "numpy", "json"):
        (model_dir / f"{name}.py").write_text(place.python())
    return model_dir


@kind("packages that exo would import first")
def packages(place: Place) -> Path:
    model_dir = place.model()
    for name in ("tiktoken", "transformers", "mlx_lm"):
        (model_dir / name).mkdir()
        (model_dir / name / "__init__.py").write_text(place.python())
    (place.outside / "foreign" / "__init__.py").write_text(place.python())
    (model_dir / "jinja2").symlink_to(place.outside / "foreign")
    return model_dir


@kind("compiled Python of our own files")
def compiled(place: Place) -> Path:
    model_dir = place.model("good")
    source = place.outside / "evil.py"
    source.write_text(place.python())
    (model_dir / "__pycache__").mkdir()
    for name in ("tool_declaration_ts", "tokenization_kimi"):
        target = importlib.util.cache_from_source(str(model_dir / f"{name}.py"))
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), target, invalidation_mode=mode)
        (model_dir / f"{name}.pyc").write_bytes(Path(target).read_bytes())
    return model_dir


@kind("Python in every place where it could run")
def python_everywhere(place: Place) -> Path:
    model_dir = place.model()
    for name in ("tokenization_kimi.py", "tool_declaration_ts.py", "tokenization_kimi_fast.py", "conftest.py"):
        put(model_dir, name, place.python())
    changed(model_dir, "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_kimi.X", None]})
    changed(model_dir, "config.json", auto_map={"AutoConfig": "configuration_kimi.X"})
    put(model_dir, "configuration_kimi.py", place.python())
    put(model_dir, "pickled.pkl", b"cos\nsystem\n(S'touch " + os.fsencode(place.canary) + b"'\ntR.")
    return model_dir


@kind("a chat template that reaches for Python")
def template_that_reaches_out(place: Place) -> Path:
    model_dir = place.model()
    call = f"open({str(place.canary)!r}, 'w')"
    attempt = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.system('x') }}"
    put(model_dir, "chat_template.jinja", f"{attempt}{{{{ self._TemplateReference__context }}}}{{{{ {call} }}}}")
    return model_dir


ENDLESS_TEMPLATE = (
    "{{ messages | tojson(indent=10**9) }}{{ 'x' * 10**9 * 10**9 }}{{ 9**9**9 }}"
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ a ** b }}{% endfor %}{% endfor %}"
)


@kind("a chat template that never ends")
def template_that_never_ends(place: Place) -> Path:
    model_dir = place.model()
    put(model_dir, "chat_template.jinja", ENDLESS_TEMPLATE)
    changed(model_dir, "tokenizer_config.json", chat_template=ENDLESS_TEMPLATE)
    (model_dir / "additional_chat_templates").mkdir()
    put(model_dir, "additional_chat_templates/tool_use.jinja", ENDLESS_TEMPLATE)
    return model_dir


# Configurations that would change which text is which id

IDS_DIFFER: dict[str, dict[str, Any]] = {
    "bos_token": {"bos_token": "the"},
    "eos_token": {"eos_token": " world"},
    "additional_special_tokens": {"additional_special_tokens": ["Hello", "<|new|>"]},
    "extra_special_tokens, an object": {"extra_special_tokens": {"image_token": "Hello"}},
    "extra_special_tokens, a list": {"extra_special_tokens": ["Hello"]},
    "sep_token": {"sep_token": "Don't", "cls_token": "world", "mask_token": "!"},
    "split_special_tokens": {"split_special_tokens": True},
    "another line by its name": {"line": "kimi-k2-instruct"},
    "a pattern for special tokens": {"special_tokens_pattern": "bos_eos", "add_bos_token": True, "add_eos_token": True},
    "another class": {"tokenizer_class": "GPT2Tokenizer", "auto_map": {}},
    "stripping": {"clean_up_tokenization_spaces": True, "add_prefix_space": True, "do_lower_case": True},
}
TABLES: dict[str, Any] = {
    "a control token of an ordinary word": {"163700": {"content": "Hello", "special": True}},
    "an id below the control tokens": {"5": {"content": "<|five|>", "special": True}},
    "an id beyond the vocabulary": {"163840": {"content": "<|beyond|>", "special": True}},
    "one name twice": {"163700": {"content": "<|x|>"}, "163701": {"content": "<|x|>"}},
    "an empty name": {"163700": {"content": ""}},
    "names with escapes": {"163700": {"content": ESCAPES}},
    "a table that is a list": [1, 2],
    "entries that are no objects": {"163700": 7},
}
UNLOADABLE: dict[str, dict[str, Any]] = {
    "tokens that are no text": {"bos_token": 7, "eos_token": ["x"], "pad_token": {"content": 1}, "unk_token": True},
    "padding_side": {"padding_side": "sideways", "truncation_side": 3},
    "model_max_length": {"model_max_length": "many"},
    "keys of Python's own": {"self": 1, "cls": 2, "vocab_file": "/etc/passwd", "name_or_path": 3},
    "names of methods": {"decode": "x", "encode": 1, "init_inputs": 5, "model": None, "get_vocab": 3},
    "surrogates": {"bos_token": "\ud800", "chat_template": "\udfff"},
    "a line that is none": {"line": "bogus"},
    "a line of a number": {"line": 7},
    "nulls": dict.fromkeys(("bos_token", "eos_token", "pad_token", "additional_special_tokens", "auto_map")),
    "templates of a wrong kind": {"chat_template": [{"name": 1}, 7, None]},
    "a template that is an object": {"chat_template": {"default": 7}},
    "classes with escapes": {"tokenizer_class": ESCAPES, "auto_map": {"AutoTokenizer": [ESCAPES, ESCAPES]}},
}


def _configured(values: dict[str, Any]) -> Builder:
    """In a directory whose own configuration names the slow tokenizer, and so is in front of ours."""
    return lambda place: changed(place.model("good"), "tokenizer_config.json", **values)


KINDS.update({f"tokenizer_config.json: {name}": _configured(values) for name, values in IDS_DIFFER.items()})
KINDS.update({f"tokenizer_config.json: {name}": _configured(values) for name, values in UNLOADABLE.items()})
KINDS.update({f"tokenizer_config.json: {n}": _configured({"added_tokens_decoder": t}) for n, t in TABLES.items()})

DEEP = 100_000
TEXTS: dict[str, bytes] = {
    "with a byte order mark": b"\xef\xbb\xbf{}",
    "in UTF-16": '{"bos_token": "[BOS]"}'.encode("utf-16"),
    "in Latin-1": b'{"bos_token": "\xe9"}',
    "nothing": b"",
    "no JSON": b"<html>404</html>",
    "a list": b"[]",
    "a number of a million digits": b'{"model_max_length": ' + b"9" * 1_000_000 + b"}",
    "nested": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "NaN and Infinity": b'{"model_max_length": NaN, "vocab_size": Infinity}',
    "a null byte": b'{"bos_token": "\\u0000\x00"}',
}


def _with_text(name: str, text: object) -> Builder:
    def build(place: Place) -> Path:
        model_dir = place.model()
        (model_dir / name).parent.mkdir(parents=True, exist_ok=True)
        put(model_dir, name, text)
        return model_dir

    return build


for _name in ("tokenizer_config.json", "config.json", "kimi_line.json", INDEX, "tokenizer.json"):
    KINDS.update({f"{_name}: {text}": _with_text(_name, data) for text, data in TEXTS.items()})


# Other tokenizers


def _other(**files: Any) -> Builder:
    def build(place: Place) -> Path:
        model_dir = place.model()
        for name, content in files.items():
            put(model_dir, name.replace("__", "."), content)
        return model_dir

    return build


KINDS.update(
    {
        "another tokenizer: vocab.json and merges.txt": _other(vocab__json={"a": 0, "b": 1}, merges__txt="a b\n"),
        "another tokenizer: tokenizer.model": _other(tokenizer__model=b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02"),
        "another tokenizer: architectures": _other(
            config__json={"model_type": "kimi_k2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 163840}
        ),
        "another tokenizer: text_config": _other(
            config__json={"model_type": "kimi_k25", "text_config": {"model_type": "qwen2", "vocab_size": 163840}}
        ),
        "another tokenizer: vocab_size": _other(config__json={"model_type": "kimi_k25", "vocab_size": 151936}),
        "another tokenizer: model_type": _other(config__json={"model_type": "qwen2", "vocab_size": 163840}),
        "another tokenizer: tiktoken.model": _other(tiktoken__model="YQ== 0\nYg== 1\n"),
        "another tokenizer: tokenizer.json": _other(
            tokenizer__json={"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "added_tokens": []}
        ),
    }
)

# Python that is read, and never ends or is too deep

PYTHON: dict[str, str] = {
    "a deep expression": "x = " + "(" * 50_000 + ")" * 50_000 + "\n",
    "a deep sum": "x = " + "1+" * 200_000 + "1\n",
    "four megabytes of statements": "x = 1\n" * 700_000,
    "no Python": ESCAPES,
    "a null byte": "x = 1\0\n",
    "another encoding": "# -*- coding: rot13 -*-\ncevag(1)\n",
    "deep blocks": "".join(" " * n + "if x:\n" for n in range(2000)),
}
KINDS.update(
    {
        f"tokenization_kimi.py: {name}": _with_text("tokenization_kimi.py", text.encode())
        for name, text in PYTHON.items()
    }
)

# Records of sync that others wrote


def _with_journal(value: Any) -> Builder:
    def build(place: Place) -> Path:
        model_dir = place.model()
        folder = model_dir / ".kimi-tokenizers"
        (folder / "backup").mkdir(parents=True)
        (folder / "backup" / "2-tokenizer_config.json").write_text("an orphan")
        digest = hashlib.sha256((model_dir / "tokenizer_config.json").read_bytes()).hexdigest()
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        (folder / "journal.json").write_bytes(text.replace(b"@sha256@", digest.encode()))
        return model_dir

    return build


KINDS.update({f"a journal: {name}": _with_journal(value) for name, value in JOURNALS.items()})


@kind("a folder of backups that no journal names")
def many_backups(place: Place) -> Path:
    model_dir = place.model()
    folder = model_dir / ".kimi-tokenizers" / "backup"
    folder.mkdir(parents=True)
    for number in range(1, 1001):
        (folder / f"{number}-tokenizer_config.json").write_text(str(number))
    return model_dir


# What else is read back of what was written once: where it lies, seen from the model directory, and who reads it.

READ_BACK = {
    "the record of sync": (".kimi-tokenizers/journal.json", "status"),
    "a report": ("../../report.json", "compare"),
    "the marker of a view": ("../../view/.kimi-tokenizers-view.json", "view"),
    "exo's list of files": (f"../caches/{FOLDER}/{FOLDER}--main--file_list.json", "explain"),
}
_STATUS = {"model": MODEL, "path": "/models", "state": "healthy", "would_load": True, "fingerprints": {}, "detail": ""}
_PRINTS = {"tokens": "0" * 64, "prompts": "0" * 64}


def report(*models: Any, **values: Any) -> dict[str, Any]:
    """A report of `status`, which `status --compare` reads."""
    return {"schema": 1, "ok": True, "node": "n", "problems": [], "places": [], "models": list(models)} | values


def _status(**values: Any) -> dict[str, Any]:
    return _STATUS | {"fingerprints": _PRINTS} | values


HONEST_REPORT = report(_status())
REPORTS: dict[str, Any] = {
    "escapes in every text": report(
        _status(model=ESCAPES, state=ESCAPES, would_load=False, detail=ESCAPES, path=ESCAPES, next=ESCAPES),
        _status(model=f"{ESCAPES}2", fingerprints={"tokens": ESCAPES, "prompts": ESCAPES}),
        **{"node": ESCAPES, "version": ESCAPES, "problems": [ESCAPES]},
    ),
    "surrogates": report(_status(model="\ud800", state="\udfff", would_load=False), node="\ud800"),
    "a schema of escapes": report(schema=ESCAPES),
    "a schema of a megabyte": report(schema="x" * 1_000_000),
    "a schema that is true": report(_status(), schema=True),
    "a schema that is a list": report(schema=[[1]]),
    "texts of a megabyte": report(
        _status(model="x" * 1_000_000, state="y" * 1_000_000, would_load=False), node="z" * 1_000_000
    ),
    "would_load of a number": report(_status(would_load=1)),
    "would_load of a megabyte": report(_status(would_load="x" * 1_000_000)),
    "models of wrong types": report(_status(), 7),
    "fingerprints of wrong types": report(_status(fingerprints=[1, 2])),
    "fingerprints of other hashes": report(_status(fingerprints={"tokens": ["0"], "prompts": {}})),
    "problems of wrong types": report(_status(), problems=[{"a": ESCAPES}, 7, None]),
    "problems that are none": report(_status(), problems=None),
    "a node of a wrong type": report(_status(), node=[ESCAPES, {}]),
    "30,000 models": report(*[_status(model=f"m/{number}") for number in range(30_000)]),
    "50,000 problems": report(_status(), problems=["x"] * 50_000),
    "one model 50,000 times": report(*[_status(state=f"s{number}", would_load=False) for number in range(50_000)]),
}
MARKERS: dict[str, Any] = {
    "a folder that leads out": {"version": 1, "models": {"../../outside": {}}},
    "a source of a wrong type": {
        "version": 1,
        "models": {FOLDER: {"model_id": MODEL, "source": 7, "former_sources": [], "files": {}}},
    },
    "files that lead out": {
        "version": 1,
        "models": {
            FOLDER: {
                "model_id": MODEL,
                "source": "/",
                "former_sources": [ESCAPES],
                "files": {"../../outside/token": ["0"], "/etc/passwd": ["0"], ESCAPES: ["0"], "a\0b": ["0"]},
            }
        },
    },
    "a version of escapes": {"version": ESCAPES, "models": {}},
    "a version of a megabyte": {"version": "x" * 1_000_000, "models": {}},
    "a name of a megabyte": {"version": 1, "models": {"x" * 1_000_000: {"model_id": ESCAPES}}},
    "models of a wrong type": {"version": 1, "models": [1]},
}
LISTS: dict[str, Any] = {
    "names with escapes": [{"path": ESCAPES, "size": 1}, {"path": "tokenizer_config.json", "size": ESCAPES}],
    "names of wrong types": [{"path": [ESCAPES], "size": {}}, {"path": None}, {"path": 7}],
    "sizes out of range": [{"path": "tokenizer_config.json", "size": size} for size in (-1, 10**300, True, 1e300)],
    "entries that are no objects": [7, None, "x"],
    "50,000 entries": [{"path": f"{number}", "size": number} for number in range(50_000)],
}
_OWN = {
    "the record of sync": {what: damage(honest()) for what, damage in DAMAGED.items()},
    "a report": REPORTS,
    "the marker of a view": MARKERS,
    "exo's list of files": LISTS,
}
_MILLION = b"[" + b"0," * 1_000_000 + b"0]"
for _name, (_path, _) in READ_BACK.items():
    KINDS.update({f"{_name}: {what}": _with_text(_path, content) for what, content in TEXTS.items()})
    KINDS[f"{_name}: a million entries"] = _with_text(_path, _MILLION)
    KINDS.update({f"{_name}: {what}": _with_text(_path, content) for what, content in _OWN[_name].items()})
    KINDS.update({f"{_name} is {what}": build for what, build in _special(_path).items()})


# Names


@kind("names with escapes")
def names_with_escapes(place: Place) -> Path:
    model_dir = place.model()
    shown = ESCAPES.replace("/", "")
    for name in (shown, f"{shown}.py", f"{shown}.json", "\udcff\udcfe.json", "-rf", "--help.json"):
        try:
            (model_dir / name).write_text("x")
        except OSError:  # some systems have no such names
            continue
    (place.models / f"{FOLDER}{ESCAPES}".replace("/", "")).mkdir()
    return model_dir


@kind("an index that names weights elsewhere")
def index_that_leads_out(place: Place) -> Path:
    model_dir = place.model()
    names = ["../../outside/weight.safetensors", "/etc/passwd", ESCAPES, "a\0b", "", *WEIGHTS]
    put(model_dir, INDEX, {"weight_map": {str(number): name for number, name in enumerate(names)}})
    return model_dir


@kind("2,000 files")
def many_files(place: Place) -> Path:
    model_dir = place.model()
    first = model_dir / "many-0.json"
    first.write_text("{}")
    for number in range(1, 2_000):
        os.link(first, model_dir / f"many-{number}.json")
    return model_dir


# This table leaves `<think>` out. A table of the model's own wins in that, and its fingerprint is another one.
OPEN = ("tokenizer_config.json: names with escapes",)
