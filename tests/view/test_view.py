"""Views: what they hold, how exo takes them, how they are updated and removed, and what they never touch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from layouts import INDEX, LAYOUTS, WEIGHTS, fast_tokenizer_json, hf_snapshot, small_tokenizer_json, write_layout

from kimi_tokenizers import catalogue, view
from kimi_tokenizers.errors import KimiTokenizersError, ViewError
from kimi_tokenizers.evidence import isolated, load_like_exo
from kimi_tokenizers.model_dirs import Walk, exo
from kimi_tokenizers.view import Change, ViewedModel, ViewReport

REPOSITORY = Path(view.__file__).parents[2]

MODEL = "moonshotai/Kimi-K2.6"
FOLDER = "moonshotai--Kimi-K2.6"
OTHER = "mlx-community/Kimi-K2-Instruct-4bit"
OTHER_FOLDER = "mlx-community--Kimi-K2-Instruct-4bit"

MARKER = ".kimi-tokenizers-view.json"
LOCK = ".kimi-tokenizers-view.lock"
FRONT = ("kimi_line.json", "tiktoken.model", "tokenization_kimi.py", "tokenizer_config.json", "tool_declaration_ts.py")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard keeps its verdicts elsewhere than in the user's cache."""
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models dir with the model as upstream broke it."""
    write_layout(tmp_path / "models" / FOLDER, "broken")
    return tmp_path / "models"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "view"


def only(report: ViewReport) -> ViewedModel:
    assert len(report.models) == 1
    return report.models[0]


def problem(report: ViewReport) -> str:
    text = only(report).problem
    assert text is not None
    return text


def tree(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything below a directory: name -> kind, mode, time of last change, and content or target of the link."""
    result: dict[bytes, tuple[object, ...]] = {}
    for parent, folders, files in os.walk(os.fsencode(root)):
        for name in [b".", *folders, *files]:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            content: bytes | None = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).digest()
            result[os.path.relpath(path, os.fsencode(root))] = (status.st_mode, status.st_mtime_ns, content)
    return result


def names(folder: Path) -> set[str]:
    """Relative paths of what is in a folder, directories aside."""
    return {
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, folders, files in os.walk(folder)
        for name in [*files, *(name for name in folders if os.path.islink(os.path.join(parent, name)))]
    }


def fill(folder: Path, text: str = "somebody else's") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file.txt").write_text(text)
    return folder


# -- what a view holds ---------------------------------------------------------------------------


def test_every_file_is_linked_and_the_overlay_is_in_front(models: Path, target: Path) -> None:
    model = only(view.make(target, [models]))
    assert (model.model_id, model.folder, model.source) == (MODEL, FOLDER, str(models / FOLDER))
    assert model.complete
    assert model.problem is None
    overlay = catalogue.get(MODEL)
    for name in FRONT:
        path = target / FOLDER / name
        assert not path.is_symlink()
        assert path.read_bytes() == overlay.read(name)
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    for name in (*WEIGHTS, INDEX):
        assert os.readlink(target / FOLDER / name) == str(models / FOLDER / name)


def test_the_models_own_small_files_are_in_front_too(models: Path, target: Path) -> None:
    (models / FOLDER / "chat_template.jinja").write_text("the user's own template")
    view.make(target, [models])
    for name in ("chat_template.jinja", "config.json", "generation_config.json"):
        path = target / FOLDER / name
        assert not path.is_symlink()
        assert path.read_bytes() == (models / FOLDER / name).read_bytes()


def test_downloaded_python_and_the_fast_tokenizer_stay_out(models: Path, target: Path) -> None:
    source = write_layout(models / FOLDER, "broken", tokenizer_json=fast_tokenizer_json())
    for name in ("modeling_deepseek.py", "Setup.PY", "json/__init__.py", "fast.so", "__pycache__/json.cpython-313.pyc"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text("raise SystemExit('downloaded Python was executed')")
    view.make(target, [models])
    found = names(target / FOLDER)
    assert {name for name in found if name.lower().endswith((".py", ".pyc", ".so"))} == {
        "tokenization_kimi.py",
        "tool_declaration_ts.py",
    }
    assert "tokenizer.json" not in found


def test_a_tokenizer_json_further_down_is_the_models_own_affair(models: Path, target: Path) -> None:
    (models / FOLDER / "draft").mkdir()
    (models / FOLDER / "draft" / "model.safetensors").write_text("w")
    (models / FOLDER / "draft" / "tokenizer.json").write_text("{}")
    view.make(target, [models])
    assert (target / FOLDER / "draft" / "tokenizer.json").is_symlink()


def test_downloads_under_way_stay_out(models: Path, target: Path) -> None:
    source = models / FOLDER
    for name in ("a.safetensors.partial", ".b.incomplete", ".cache/huggingface/c.lock", ".kimi-tokenizers-backup/d"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("half")
    (source / ".gitattributes").write_text("*.safetensors filter=lfs")
    view.make(target, [models])
    assert names(target / FOLDER) == {
        *FRONT,
        *WEIGHTS,
        INDEX,
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "__pycache__",
        ".gitattributes",
    }


def test_of_directories_only_those_with_weights_are_there_and_they_are_real(
    models: Path, target: Path, tmp_path: Path
) -> None:
    """Also where they were links: what such a link leads to could be a package when exo looks."""
    source = models / FOLDER
    disk = fill(tmp_path / "disk")
    for name in ("a.safetensors", "a.safetensors.index.json", "module.py"):
        (disk / name).write_text("w")
    shutil.copytree(disk, source / "vision" / "deep")
    fill(source / "notes")
    (source / "linked").symlink_to(disk)
    (source / "tiktoken").symlink_to(fill(tmp_path / "elsewhere"))
    view.make(target, [models])
    folder = target / FOLDER
    for name in ("vision/deep", "linked"):
        assert (folder / name).is_dir()
        assert not (folder / name).is_symlink()
        assert os.readlink(folder / name / "a.safetensors") == str(source / name / "a.safetensors")
    assert os.listdir(folder / "linked") == ["a.safetensors"]  # exo does not look for an index behind a link
    assert sorted(os.listdir(folder / "vision" / "deep")) == ["a.safetensors", "a.safetensors.index.json"]
    assert not os.path.lexists(folder / "notes")
    assert not os.path.lexists(folder / "tiktoken")


def test_loops_and_dangling_links_stay_out(models: Path, target: Path) -> None:
    source = models / FOLDER
    (source / "loop").symlink_to("loop")
    (source / "ping").symlink_to("pong")
    (source / "pong").symlink_to("ping")
    (source / "dangling.safetensors").symlink_to("/nowhere/dangling.safetensors")
    (source / "up").symlink_to(".")
    assert only(view.make(target, [models])).problem is None
    found = {name.split("/")[0] for name in names(target / FOLDER)}
    assert found.isdisjoint({"loop", "ping", "pong", "dangling.safetensors", "up"})


def test_what_is_too_much_or_too_deep_is_said(models: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / FOLDER / "/".join(["deep"] * 33)).mkdir(parents=True)
    assert "nested too deep for a view" in str(only(view.make(target, [models])).problem)
    (models / FOLDER / "deep").rename(models.parent / "deep")
    (models / FOLDER / "linked").symlink_to(fill(models.parent / "disk"))
    walk = Walk(len(os.listdir(models / FOLDER)))  # what is behind the link is too much
    monkeypatch.setattr("kimi_tokenizers.view.contents.Walk", lambda: walk)
    assert "too many to look at" in str(only(view.make(target, [models])).problem)


def test_a_weight_that_is_a_link_out_of_the_models_dir_is_linked(models: Path, target: Path, tmp_path: Path) -> None:
    """Users keep weights on another disk."""
    weight = models / FOLDER / WEIGHTS[0]
    disk = tmp_path / "disk"
    disk.mkdir()
    weight.rename(disk / WEIGHTS[0])
    weight.symlink_to(disk / WEIGHTS[0])
    assert only(view.make(target, [models])).complete
    assert os.readlink(target / FOLDER / WEIGHTS[0]) == str(weight)
    assert (target / FOLDER / WEIGHTS[0]).read_bytes() == (disk / WEIGHTS[0]).read_bytes()


def test_pipes_sockets_and_devices_stay_out(models: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = models / FOLDER
    os.mkfifo(source / "pipe.bin")
    (source / "null").symlink_to("/dev/null")
    monkeypatch.chdir(source)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        view.make(target, [models])
    assert names(target / FOLDER).isdisjoint({"pipe.bin", "null", "socket"})


def test_any_file_name_works(models: Path, target: Path) -> None:
    source = os.fsencode(models / FOLDER)
    odd = [b"new\nline.txt", b"\xff\xfe.bin", b"caf\xc3\xa9.txt", b" ", b"-rf", b"\xff.json"]
    odd.append(b"\xf0\x9f\x98\x80/a\nb/\x80.safetensors")
    for name in odd:
        path = os.path.join(source, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(name)
    report = view.make(target, [models])
    assert only(report).problem is None
    for name in odd:
        assert os.readlink(os.path.join(os.fsencode(target / FOLDER), name)) == os.path.join(source, name)
    json.loads(json.dumps(dataclasses.asdict(report)))
    assert only(view.make(target, [models])).changes == ()
    view.remove(target)
    assert not target.exists()


def test_the_source_is_never_written_to(models: Path, target: Path, tmp_path: Path) -> None:
    hf_snapshot(tmp_path / "hf", OTHER, "good", "kimi-k2-instruct")
    (models / FOLDER / "\udcff\n").write_text("odd")
    before = tree(models), tree(tmp_path / "hf")
    view.make(target, [models, tmp_path / "hf"])
    view.make(target, [models, tmp_path / "hf"])
    view.make(target, [tmp_path / "hf"])
    view.remove(target)
    assert (tree(models), tree(tmp_path / "hf")) == before


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    root = str(REPOSITORY)
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_no_weight_is_opened_and_nothing_heavy_is_imported(models: Path, target: Path) -> None:
    done = run(
        """
        import os, sys
        opened = []
        sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
        from kimi_tokenizers import view
        view.make(sys.argv[2], [sys.argv[1]])
        view.make(sys.argv[2], [sys.argv[1]])
        print([path for path in opened if path.endswith(".safetensors")])
        print(sorted({"transformers", "tiktoken", "jinja2", "numpy", "rich", "typer"} & set(sys.modules)))
        """,
        models,
        target,
    )
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


# -- how exo takes it ----------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["good", "broken", "fast_only"])
def test_exo_loads_a_tokenizer_from_the_view(layout: str, tmp_path: Path, target: Path) -> None:
    write_layout(tmp_path / "models" / FOLDER, layout)
    report = view.make(target, [tmp_path / "models"])
    assert only(report).complete
    assert exo.is_complete(target / FOLDER)
    with isolated():
        tokenizer = load_like_exo(target / FOLDER, wrap=False)
    assert tokenizer.encode("Hello, world!") == [19180, 11, 2695, 0]
    assert tokenizer.encode("<think>") == [163606]
    assert tokenizer.decode([19180, 11, 2695, 0]) == "Hello, world!"
    assert "<|im_middle|>Hi<|im_end|>" in tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}])


def test_exo_does_not_load_the_same_directory_without_the_view(models: Path) -> None:
    with isolated(), pytest.raises(FileNotFoundError, match=r"tokenization_kimi\.py"):
        load_like_exo(models / FOLDER, wrap=False)


@pytest.mark.parametrize("layout", ["empty", "partial"])
def test_what_is_not_there_yet_is_viewed_and_not_complete(layout: str, tmp_path: Path, target: Path) -> None:
    write_layout(tmp_path / "models" / FOLDER, layout)
    model = only(view.make(target, [tmp_path / "models"]))
    assert not model.complete
    assert model.problem is None
    assert not exo.is_complete(target / FOLDER)
    assert set(FRONT) <= names(target / FOLDER)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_exo_takes_the_view_for_as_complete_as_the_model(layout: str, tmp_path: Path, target: Path) -> None:
    source = write_layout(tmp_path / "models" / FOLDER, layout)
    model = only(view.make(target, [tmp_path / "models"]))
    assert model.complete == exo.is_complete(target / FOLDER) == (exo.is_complete(source) and layout != "k3")


def test_exo_finds_the_view_first(models: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXO_DEFAULT_MODELS_DIR", str(models))
    monkeypatch.delenv("EXO_MODELS_READ_ONLY_DIRS", raising=False)
    assert exo.find_model(MODEL) == models / FOLDER
    view.make(target, [models])
    monkeypatch.setenv("EXO_MODELS_READ_ONLY_DIRS", str(target))
    assert exo.find_model(MODEL) == target / FOLDER


def test_after_exo_has_loaded_it_nothing_changes_and_it_can_be_removed(models: Path, target: Path) -> None:
    """Importing would write bytecode beside the files in front; a file is in the place of its folder."""
    view.make(target, [models])
    done = run(
        """
        import sys
        sys.dont_write_bytecode, sys.pycache_prefix = False, None  # whatever the environment says
        from pathlib import Path
        from kimi_tokenizers.evidence.exo_loading import execute_tool_declaration
        execute_tool_declaration(Path(sys.argv[1]))
        """,
        target / FOLDER,
    )
    assert done.returncode == 0, done.stderr
    assert (target / FOLDER / "__pycache__").read_bytes() == b""
    assert only(view.make(target, [models])).changes == ()
    (report,) = view.remove(target).removed
    assert report.problem is None
    assert not target.exists()


# -- which models --------------------------------------------------------------------------------


def test_only_models_that_an_overlay_serves_are_viewed(models: Path, target: Path) -> None:
    for name in ("mlx-community--Qwen3-8B-4bit", "moonshotai--Kimi-VL-A3B", "caches", "Kimi-K2.6", "--Kimi-K2.6"):
        fill(models / name)
    (models / "moonshotai--Kimi-K2.5").write_text("a file")
    write_layout(models / OTHER_FOLDER, "good", "kimi-k2-instruct")
    report = view.make(target, [models])
    assert [model.model_id for model in report.models] == [OTHER, MODEL]
    assert set(os.listdir(target)) == {FOLDER, OTHER_FOLDER, MARKER, LOCK}


def test_models_can_be_chosen_in_any_letter_case(models: Path, target: Path) -> None:
    write_layout(models / OTHER_FOLDER, "good", "kimi-k2-instruct")
    assert only(view.make(target, [models], ["MoonshotAI/kimi-k2.6"])).model_id == MODEL
    assert not (target / OTHER_FOLDER).exists()


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("moonshotai/Kimi-K2.5", "Download it first"),
        ("mlx-community/Qwen3-8B-4bit", "No overlay serves"),
        ("Kimi", "is not a model id"),
    ],
)
def test_a_chosen_model_that_is_not_there_is_a_problem(wish: str, says: str, models: Path, target: Path) -> None:
    report = view.make(target, [models], [wish, MODEL, wish])
    viewed, missing = report.models
    assert viewed.complete
    assert (missing.model_id, missing.source, missing.complete) == (wish, None, False)
    assert says in str(missing.problem)


def test_the_first_complete_directory_of_a_model_wins(models: Path, target: Path, tmp_path: Path) -> None:
    write_layout(tmp_path / "first" / FOLDER, "partial")
    write_layout(tmp_path / "third" / FOLDER, "good")
    dirs = [tmp_path / "first", tmp_path / "nowhere", models, tmp_path / "third"]
    assert only(view.make(target, dirs)).source == str(models / FOLDER)


def test_the_first_of_several_incomplete_directories_wins(target: Path, tmp_path: Path) -> None:
    write_layout(tmp_path / "first" / FOLDER, "partial")
    write_layout(tmp_path / "second" / FOLDER, "empty")
    model = only(view.make(target, [tmp_path / "first", tmp_path / "second"]))
    assert model.source == str(tmp_path / "first" / FOLDER)


def test_a_models_dir_may_be_relative_or_a_link(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("models")
    assert only(view.make("view", ["models"])).source == str(models / FOLDER)
    assert only(view.make("view", ["./models/../models"])).changes == ()
    assert only(view.make("other", ["link"])).source == str(tmp_path / "link" / FOLDER)
    assert only(view.make("other", ["link"])).complete


def test_two_dots_behind_a_link_lead_where_the_file_system_says(models: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(models / FOLDER)
    model = only(view.make(target, [tmp_path / "elsewhere" / "link" / ".."]))
    assert model.source == str(models.resolve() / FOLDER)


def test_a_hugging_face_snapshot_is_viewed_through_its_own_links(target: Path, tmp_path: Path) -> None:
    snapshot = hf_snapshot(tmp_path / "hf", MODEL, "broken")
    before = tree(tmp_path / "hf")
    model = only(view.make(target, [tmp_path / "hf"]))
    assert (model.source, model.folder, model.complete) == (str(snapshot), FOLDER, True)
    assert os.readlink(target / FOLDER / WEIGHTS[0]) == str(snapshot / WEIGHTS[0])
    assert (target / FOLDER / WEIGHTS[0]).resolve().parent == tmp_path.resolve() / "hf" / f"models--{FOLDER}" / "blobs"
    assert not (target / FOLDER / "config.json").is_symlink()
    with isolated():
        assert load_like_exo(target / FOLDER, wrap=False).encode("<|im_end|>") == [163586]
    view.remove(target)
    assert tree(tmp_path / "hf") == before


def test_a_hugging_face_download_under_way_is_not_complete(target: Path, tmp_path: Path) -> None:
    hf_snapshot(tmp_path / "hf", MODEL, "partial")
    model = only(view.make(target, [tmp_path / "hf"]))
    assert not model.complete
    assert model.problem is None


def test_the_snapshot_that_main_names_is_taken(target: Path, tmp_path: Path) -> None:
    main = hf_snapshot(tmp_path / "hf", MODEL, "good", revision="a" * 40)
    hf_snapshot(tmp_path / "hf", MODEL, "good", revision="b" * 40, main=False)
    assert only(view.make(target, [tmp_path / "hf"])).source == str(main)


@pytest.mark.parametrize("main", [None, b"../../../models", b"c" * 40, b"", b"\xff"])
def test_without_main_the_newest_snapshot_is_taken(main: bytes | None, target: Path, tmp_path: Path) -> None:
    newest = hf_snapshot(tmp_path / "hf", MODEL, "good", revision="a" * 40, main=False)
    older = hf_snapshot(tmp_path / "hf", MODEL, "good", revision="b" * 40, main=False)
    os.utime(newest, (2e9, 2e9))
    os.utime(older, (1e9, 1e9))
    if main is not None:
        (newest.parent.parent / "refs" / "main").write_bytes(main)
    assert only(view.make(target, [tmp_path / "hf"])).source == str(newest)


def test_a_hugging_face_folder_without_snapshots_is_passed_over(models: Path, target: Path) -> None:
    (models / "models--moonshotai--Kimi-K2.5" / "refs").mkdir(parents=True)
    assert only(view.make(target, [models])).model_id == MODEL


# -- the guard -----------------------------------------------------------------------------------


def test_another_vocabulary_is_refused_and_stops_no_other_model(models: Path, target: Path) -> None:
    write_layout(models / "moonshotai--Kimi-K2.5", "k3", "kimi-k2.5")
    refused, viewed = view.make(target, [models]).models
    assert refused.model_id == "moonshotai/Kimi-K2.5"
    assert refused.changes == ()
    assert "config.json" in str(refused.problem)
    assert not (target / "moonshotai--Kimi-K2.5").exists()
    assert viewed.complete


def test_if_every_model_is_refused_no_view_is_left(tmp_path: Path, target: Path) -> None:
    write_layout(tmp_path / "models" / FOLDER, "broken", tokenizer_json=small_tokenizer_json())
    assert "tokenizer.json" in problem(view.make(target, [tmp_path / "models"]))
    assert not target.exists()


def test_a_model_that_became_another_is_taken_out(models: Path, target: Path) -> None:
    """Else its weights would be served with a tokenizer that is not theirs."""
    view.make(target, [models])
    write_layout(models / FOLDER, "k3")
    model = only(view.make(target, [models]))
    assert "taken out of the view" in str(model.problem)
    assert not model.complete
    assert {change.action for change in model.changes} == {"remove"}
    assert not target.exists()


@pytest.mark.parametrize("damage", [b"{", b"[]", b"\xff"])
def test_a_damaged_file_is_a_problem_and_leaves_the_view_as_it_was(damage: bytes, models: Path, target: Path) -> None:
    view.make(target, [models])
    before = tree(target / FOLDER)
    (models / FOLDER / "tokenizer_config.json").write_bytes(damage)
    model = only(view.make(target, [models]))
    assert "tokenizer_config.json" in str(model.problem)
    assert model.complete
    assert model.changes == ()
    assert tree(target / FOLDER) == before


# -- updating ------------------------------------------------------------------------------------


def test_making_it_again_changes_nothing(models: Path, target: Path, tmp_path: Path) -> None:
    hf_snapshot(tmp_path / "hf", OTHER, "good", "kimi-k2-instruct")
    view.make(target, [models, tmp_path / "hf"])
    (target / LOCK).unlink()
    before = tree(target)
    report = view.make(target, [models, tmp_path / "hf"])
    assert [model.changes for model in report.models] == [(), ()]
    assert report.removed == ()
    (target / LOCK).unlink()
    after = tree(target)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {b"."}


def test_weights_that_arrive_are_added(tmp_path: Path, target: Path) -> None:
    source = write_layout(tmp_path / "models" / FOLDER, "partial")
    assert not only(view.make(target, [tmp_path / "models"])).complete
    (source / f"{WEIGHTS[1]}.partial").rename(source / WEIGHTS[1])
    model = only(view.make(target, [tmp_path / "models"]))
    assert model.changes == (Change("add", f"{FOLDER}/{WEIGHTS[1]}"),)
    assert model.complete


def test_files_that_went_are_removed_and_those_that_changed_replaced(models: Path, target: Path) -> None:
    source = models / FOLDER
    (source / "vision").mkdir()
    (source / "vision" / "tower.safetensors").write_text("w")
    (source / "notes.d").write_text("n")
    view.make(target, [models])
    (source / "vision" / "tower.safetensors").unlink()
    (source / "notes.d").unlink()
    (source / "notes.d").mkdir()  # what was a file is a directory now
    (source / "notes.d" / "a.safetensors").write_text("n")
    (source / "chat_template.jinja").write_text("another")
    model = only(view.make(target, [models]))
    assert model.changes == (
        Change("remove", f"{FOLDER}/notes.d"),
        Change("remove", f"{FOLDER}/vision/tower.safetensors"),
        Change("replace", f"{FOLDER}/chat_template.jinja"),
        Change("add", f"{FOLDER}/notes.d/a.safetensors"),
    )
    assert (target / FOLDER / "chat_template.jinja").read_text() == "another"
    assert not (target / FOLDER / "vision").exists()
    assert (target / FOLDER / "notes.d" / "a.safetensors").read_text() == "n"


def test_a_directory_that_became_a_file_is_replaced(models: Path, target: Path) -> None:
    (fill(models / FOLDER / "notes.d") / "a.safetensors").write_text("w")
    view.make(target, [models])
    shutil.rmtree(models / FOLDER / "notes.d")
    (models / FOLDER / "notes.d").write_text("n")
    view.make(target, [models])
    assert os.readlink(target / FOLDER / "notes.d") == str(models / FOLDER / "notes.d")


def test_what_was_taken_out_of_the_view_is_put_back(models: Path, target: Path) -> None:
    view.make(target, [models])
    before = names(target / FOLDER)
    (target / FOLDER / "tokenization_kimi.py").unlink()
    (target / FOLDER / WEIGHTS[0]).unlink()
    model = only(view.make(target, [models]))
    assert model.changes == (
        Change("add", f"{FOLDER}/tokenization_kimi.py"),
        Change("add", f"{FOLDER}/{WEIGHTS[0]}"),
    )
    shutil.rmtree(target / FOLDER)
    assert len(only(view.make(target, [models])).changes) == len(before)
    assert names(target / FOLDER) == before


def test_a_models_dir_that_moved_is_followed(models: Path, target: Path, tmp_path: Path) -> None:
    view.make(target, [models])
    models.rename(tmp_path / "moved")
    model = only(view.make(target, [tmp_path / "moved"]))
    assert {change.action for change in model.changes} == {"replace"}
    assert os.readlink(target / FOLDER / INDEX) == str(tmp_path / "moved" / FOLDER / INDEX)
    assert model.complete


def test_a_new_revision_in_hugging_faces_cache_is_followed(target: Path, tmp_path: Path) -> None:
    hf_snapshot(tmp_path / "hf", MODEL, "broken", revision="a" * 40)
    view.make(target, [tmp_path / "hf"])
    snapshot = hf_snapshot(tmp_path / "hf", MODEL, "good", revision="b" * 40)
    view.make(target, [tmp_path / "hf"])
    assert os.readlink(target / FOLDER / INDEX) == str(snapshot / INDEX)


def test_a_model_that_went_is_removed(models: Path, target: Path) -> None:
    write_layout(models / OTHER_FOLDER, "good", "kimi-k2-instruct")
    view.make(target, [models])
    shutil.rmtree(models / FOLDER)
    report = view.make(target, [models])
    assert only(report).model_id == OTHER
    (removed,) = report.removed
    assert (removed.model_id, removed.problem) == (MODEL, None)
    assert Change("remove", f"{FOLDER}/{INDEX}") in removed.changes
    assert set(os.listdir(target)) == {OTHER_FOLDER, MARKER, LOCK}


def test_the_last_model_that_went_takes_the_view_with_it(models: Path, target: Path) -> None:
    view.make(target, [models])
    shutil.rmtree(models / FOLDER)
    report = view.make(target, [models])
    assert [model.model_id for model in report.removed] == [MODEL]
    assert not target.exists()


def test_models_of_dirs_that_are_not_looked_at_stay(models: Path, target: Path, tmp_path: Path) -> None:
    write_layout(tmp_path / "more" / OTHER_FOLDER, "good", "kimi-k2-instruct")
    view.make(target, [models])
    report = view.make(target, [tmp_path / "more"])
    assert only(report).model_id == OTHER
    assert report.removed == ()
    assert exo.is_complete(target / FOLDER)
    shutil.rmtree(models)
    report = view.make(target, [tmp_path / "more"])
    assert [model.model_id for model in report.removed] == [MODEL]


def test_models_that_were_not_chosen_stay(models: Path, target: Path) -> None:
    write_layout(models / OTHER_FOLDER, "good", "kimi-k2-instruct")
    view.make(target, [models])
    shutil.rmtree(models / FOLDER)
    assert view.make(target, [models], [OTHER]).removed == ()
    assert (target / FOLDER).exists()
    report = view.make(target, [models], [MODEL])
    assert [model.model_id for model in report.removed] == [MODEL]
    assert "Download it first" in problem(report)


def test_a_view_is_no_source_so_exos_own_list_can_be_given(
    models: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXO_DEFAULT_MODELS_DIR", str(models))
    monkeypatch.setenv("EXO_MODELS_READ_ONLY_DIRS", str(target))
    view.make(target, exo.models_dirs())
    model = only(view.make(target, exo.models_dirs()))
    assert (model.source, model.changes) == (str(models / FOLDER), ())


def test_progress_names_every_model(models: Path, target: Path) -> None:
    lines: list[str] = []
    view.make(target, [models], progress=lines.append)
    assert lines == [f"{MODEL} from {models / FOLDER}"]


def test_a_dry_run_reports_the_same_and_changes_nothing(models: Path, target: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    planned = view.make(target, [models], dry_run=True)
    assert tree(tmp_path) == before
    assert view.make(target, [models]) == planned

    (models / FOLDER / "new.safetensors").write_text("w")
    (models / FOLDER / WEIGHTS[0]).unlink()
    before = tree(tmp_path)
    planned = view.make(target, [models], dry_run=True)
    assert tree(tmp_path) == before
    assert view.make(target, [models]) == planned
    assert {change.action for change in only(planned).changes} == {"add", "remove"}

    before = tree(tmp_path)
    planned = view.remove(target, dry_run=True)
    assert tree(tmp_path) == before
    assert view.remove(target) == planned


# -- what is not ours ----------------------------------------------------------------------------


def make_directory(path: Path) -> None:
    fill(path)


def make_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def make_file(path: Path) -> None:
    path.write_text("a file")


def make_garbled(path: Path) -> None:
    fill(path)
    (path / MARKER).write_text("{")


def make_newer(path: Path) -> None:
    fill(path)
    (path / MARKER).write_text('{"version": 2, "models": {}}')


def make_escaping(path: Path) -> None:
    fill(path)
    record = {"model_id": "../elsewhere", "source": "/", "former_sources": [], "files": {}}
    (path / MARKER).write_text(json.dumps({"version": 1, "models": {"../elsewhere": record}}))


def make_marker_directory(path: Path) -> None:
    (path / MARKER).mkdir(parents=True)


@pytest.mark.parametrize(
    ("foreign", "says"),
    [
        (make_directory, "is not a view: it holds 'file.txt'"),
        (make_link, "is a link"),
        (make_file, "is not a directory"),
        (make_garbled, "cannot be used"),
        (make_newer, "version 2, expected 1"),
        (make_escaping, "no folder of a model"),
        (make_marker_directory, "is a directory, not a file"),
    ],
)
def test_a_target_that_is_not_a_view_is_never_touched(
    foreign: Callable[[Path], None], says: str, models: Path, target: Path, tmp_path: Path
) -> None:
    fill(tmp_path / "elsewhere")
    foreign(target)
    before = tree(tmp_path)
    attempts: list[Callable[[], ViewReport]] = [
        lambda: view.make(target, [models]),
        lambda: view.make(target, [models], dry_run=True),
        lambda: view.remove(target),
    ]
    for attempt in attempts:
        with pytest.raises(ViewError) as caught:
            attempt()
        assert says in str(caught.value)
        assert str(target) in str(caught.value)
    assert tree(tmp_path) == before


def test_an_empty_directory_becomes_a_view(models: Path, target: Path) -> None:
    target.mkdir()
    assert only(view.make(target, [models])).complete


def test_parents_of_the_target_are_made(models: Path, tmp_path: Path) -> None:
    assert only(view.make(tmp_path / "a" / "b", [models])).complete


@pytest.mark.parametrize("place", [".", "inside", FOLDER, f"{FOLDER}/inside", "..", "../link", "../link/inside"])
def test_view_and_models_must_not_lie_inside_each_other(place: str, models: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(models)
    before = tree(tmp_path)
    with pytest.raises(ViewError, match=r"inside each other|is not a view|is the models dir itself|is a link"):
        view.make(models / place, [models])
    assert tree(tmp_path) == before


def test_a_view_inside_a_model_directory_that_is_a_link_is_refused(models: Path, tmp_path: Path) -> None:
    shutil.move(models / FOLDER, tmp_path / "disk")
    (models / FOLDER).symlink_to(tmp_path / "disk")
    with pytest.raises(ViewError, match="inside each other"):
        view.make(tmp_path / "disk" / "view", [models])


def test_a_folder_in_the_view_that_is_not_ours_is_never_touched(models: Path, target: Path) -> None:
    write_layout(models / OTHER_FOLDER, "good", "kimi-k2-instruct")
    view.make(target, [models], [OTHER])
    fill(target / FOLDER)
    before = tree(target / FOLDER)
    model = only(view.make(target, [models], [MODEL]))
    assert "was not made by this view" in str(model.problem)
    assert tree(target / FOLDER) == before
    view.remove(target)
    assert tree(target / FOLDER) == before
    assert os.listdir(target) == [FOLDER]


def test_a_folder_that_was_replaced_by_a_link_is_never_touched(models: Path, target: Path) -> None:
    view.make(target, [models])
    shutil.rmtree(target / FOLDER)
    (target / FOLDER).symlink_to(models / FOLDER)
    before = tree(models)
    assert "is not a directory that this view made" in problem(view.make(target, [models]))
    (removed,) = view.remove(target).removed
    assert removed.problem is not None
    assert (target / FOLDER).is_symlink()
    assert tree(models) == before


def test_a_users_files_in_a_viewed_folder_stay(models: Path, target: Path, tmp_path: Path) -> None:
    view.make(target, [models])
    folder = target / FOLDER
    fill(folder / "mine")
    (folder / "notes.md").write_text("mine")
    (folder / "extra.safetensors").symlink_to(tmp_path / "elsewhere" / "extra.safetensors")
    model = only(view.make(target, [models]))
    assert (model.changes, model.problem) == ((), None)
    shutil.rmtree(models / FOLDER)
    (removed,) = view.make(target, [models]).removed
    assert "'extra.safetensors', 'mine/file.txt', 'notes.md'" in str(removed.problem)
    assert names(folder) == {"extra.safetensors", "mine/file.txt", "notes.md"}


def test_a_file_in_the_place_of_ours_stays_and_is_named(models: Path, target: Path) -> None:
    view.make(target, [models])
    folder = target / FOLDER
    for name in ("tokenizer_config.json", WEIGHTS[0]):
        (folder / name).unlink()
        (folder / name).write_text("mine")
    (folder / INDEX).unlink()
    fill(folder / INDEX)  # a directory in the place of a link
    model = only(view.make(target, [models]))
    assert model.changes == ()
    for name in ("tokenizer_config.json", WEIGHTS[0], INDEX):
        assert repr(name) in str(model.problem)
    view.remove(target)
    assert names(target) == {
        f"{FOLDER}/tokenizer_config.json",
        f"{FOLDER}/{WEIGHTS[0]}",
        f"{FOLDER}/{INDEX}/file.txt",
    }
    assert (folder / "tokenizer_config.json").read_text() == "mine"


def test_a_file_in_the_way_of_a_directory_stays(models: Path, target: Path) -> None:
    view.make(target, [models])
    (fill(models / FOLDER / "vision") / "a.safetensors").write_text("w")
    (target / FOLDER / "vision").write_text("mine")
    model = only(view.make(target, [models]))
    assert "'vision/a.safetensors'" in str(model.problem)
    assert (target / FOLDER / "vision").read_text() == "mine"


# -- removing ------------------------------------------------------------------------------------


def test_removing_leaves_nothing_and_the_models_as_they_were(models: Path, target: Path, tmp_path: Path) -> None:
    (models / FOLDER / "linked").symlink_to(fill(tmp_path / "elsewhere"))
    before = tree(tmp_path)
    made = only(view.make(target, [models]))
    report = view.remove(target)
    assert report.models == ()
    (removed,) = report.removed
    assert (removed.model_id, removed.source, removed.problem) == (MODEL, str(models / FOLDER), None)
    assert {change.path for change in removed.changes} == {change.path for change in made.changes}
    after = tree(tmp_path)
    assert after.pop(b".")[2] == before.pop(b".")[2]  # only the time differs: the view came and went
    assert after == before


def test_a_view_whose_models_are_gone_can_be_removed(models: Path, target: Path) -> None:
    view.make(target, [models])
    shutil.rmtree(models)
    view.remove(target)
    assert not target.exists()


def test_removing_leaves_a_users_file_and_says_so(models: Path, target: Path) -> None:
    view.make(target, [models])
    (target / FOLDER / "notes.md").write_text("mine")
    (removed,) = view.remove(target).removed
    assert "'notes.md'; left as it is" in str(removed.problem)
    assert names(target) == {f"{FOLDER}/notes.md"}


def test_removing_what_does_not_exist_is_an_error(target: Path) -> None:
    with pytest.raises(ViewError, match="does not exist"):
        view.remove(target)


# -- what can go wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("models_dirs", [[], ["nowhere"], ["file"]])
def test_without_a_models_dir_there_is_an_error(models_dirs: list[str], target: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ViewError, match="no models dir to view"):
        view.make(target, [tmp_path / name for name in models_dirs])
    assert not target.exists()


def test_without_a_model_nothing_is_made(target: Path, tmp_path: Path) -> None:
    assert view.make(target, [fill(tmp_path / "models")]) == ViewReport(str(target), ())
    assert not target.exists()


@pytest.mark.parametrize("name", ["a:b", "a\0b"])
def test_a_path_that_cannot_be_a_view_is_refused(name: str, models: Path, tmp_path: Path) -> None:
    with pytest.raises(ViewError):
        view.make(tmp_path / name, [models])


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A directory that every user can get to; pytest's own is only for the user who runs it."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made).resolve()
        path.chmod(0o755)
        yield path


def attempt_as_nobody(action: Callable[[], object], answer: Connection) -> None:
    """Runs in a process of its own: root may write everywhere, so it becomes somebody else first."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        action()
        text = "nothing was raised"
    except ViewError as error:
        text = str(error)
    answer.send(text)


def as_nobody(action: Callable[[], object]) -> str:
    """The message of the ViewError that an action without root's rights raises."""
    catalogue.overlays()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=attempt_as_nobody, args=(action, sender))
    process.start()
    assert receiver.poll(60)
    text = receiver.recv()
    process.join()
    return str(text)


def test_a_target_that_cannot_be_made_is_an_error(public_dir: Path) -> None:
    write_layout(public_dir / "models" / FOLDER, "broken")
    (public_dir / "parent").mkdir()
    (public_dir / "parent").chmod(0o555)
    before = tree(public_dir)
    target = public_dir / "parent" / "view"
    text = as_nobody(lambda: view.make(target, [public_dir / "models"]))
    assert "cannot be written: Permission denied" in text
    assert str(target) in text
    assert tree(public_dir) == before


def test_a_view_that_became_read_only_is_an_error(public_dir: Path) -> None:
    write_layout(public_dir / "models" / FOLDER, "partial")
    target = public_dir / "view"
    view.make(target, [public_dir / "models"])
    (public_dir / "models" / FOLDER / "late.safetensors").write_text("w")
    (target / FOLDER).chmod(0o555)
    target.chmod(0o555)
    before = tree(public_dir)
    assert "Permission denied" in as_nobody(lambda: view.make(target, [public_dir / "models"]))
    assert "Permission denied" in as_nobody(lambda: view.remove(target))
    assert tree(public_dir) == before
    (target / FOLDER).chmod(0o755)
    target.chmod(0o755)


def test_a_models_dir_that_cannot_be_read_is_an_error(public_dir: Path) -> None:
    """It does not count as one whose models went."""
    write_layout(public_dir / "models" / FOLDER, "broken")
    view.make(public_dir / "view", [public_dir / "models"])
    (public_dir / "models").chmod(0o311)
    text = as_nobody(lambda: view.make(public_dir / "view", [public_dir / "models"]))
    assert "cannot be read: Permission denied" in text
    assert exo.is_complete(public_dir / "view" / FOLDER)
    (public_dir / "models").chmod(0o755)


def test_a_full_disk_is_an_error_and_the_next_run_completes(
    models: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.fsync, [3]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ViewError, match="No space left on device"):
        view.make(target, [models])
    monkeypatch.undo()
    assert not exo.is_complete(target / FOLDER)
    assert only(view.make(target, [models])).complete
    assert names(target) == {MARKER, LOCK, *(f"{FOLDER}/{name}" for name in names(target / FOLDER))}


# -- killed, and several at once -----------------------------------------------------------------

KILLED = """
import os, signal, sys

def hook(event, values):
    global left
    if event in {"os.mkdir", "os.symlink", "os.rename", "os.remove", "os.rmdir"} or (
        event == "open" and str(values[0]).startswith(target)
    ):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

from kimi_tokenizers import view
action, models, target, left = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.addaudithook(hook)
view.make(target, [models]) if action == "make" else view.remove(target)
"""


def killed(action: str, models: Path, target: Path, step: int) -> bool:
    """Whether the action was killed before its `step`-th change; else it was done by then."""
    done = run(KILLED, action, models, target, step)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_killed_while_making_the_next_run_heals(models: Path, target: Path) -> None:
    (models / FOLDER / "z.index.bin").write_text("it comes after the index of weights")
    view.make(target, [models])
    whole = {name: content for name, (_, _, content) in tree(target).items()}
    everything = names(target / FOLDER)
    view.remove(target)
    step = 1
    while killed("make", models, target, step):
        # Complete for exo only once everything is there.
        assert not exo.is_complete(target / FOLDER) or everything <= names(target / FOLDER)
        model = only(view.make(target, [models]))
        assert (model.complete, model.problem) == (True, None)
        assert {name: content for name, (_, _, content) in tree(target).items()} == whole
        view.remove(target)
        assert not target.exists()
        step += 3
    assert step > 20


def test_files_that_were_never_finished_are_swept_away(models: Path, target: Path) -> None:
    (models / FOLDER / "vision").mkdir()
    (models / FOLDER / "vision" / "tower.safetensors").write_text("w")
    view.make(target, [models])
    before = names(target)
    for folder in (target, target / FOLDER, target / FOLDER / "vision"):
        (folder / ".kimi-tokenizers-new-0123456789abcdef").write_text("half")
    assert only(view.make(target, [models])).changes == ()
    assert names(target) == before
    for folder in (target, target / FOLDER, target / FOLDER / "vision"):
        (folder / ".kimi-tokenizers-new-0123456789abcdef").write_text("half")
    view.remove(target)
    assert not target.exists()


def test_killed_while_following_a_move_the_next_run_heals(models: Path, target: Path, tmp_path: Path) -> None:
    """Links into the former models dir are still known as ours."""
    moved = tmp_path / "moved"
    view.make(target, [models])
    step = 1
    shutil.copytree(models, moved)
    (moved / FOLDER / "chat_template.jinja").write_text("another")
    (moved / FOLDER / WEIGHTS[0]).rename(moved / FOLDER / "renamed.safetensors")
    while killed("make", moved, target, step):
        model = only(view.make(target, [moved]))
        assert model.problem is None
        assert {name for name in names(target / FOLDER) if name.endswith(".safetensors")} == {
            "renamed.safetensors",
            WEIGHTS[1],
        }
        assert only(view.make(target, [models])).problem is None
        step += 3
    assert step > 10


def test_killed_while_removing_the_next_run_finishes(models: Path, target: Path) -> None:
    view.make(target, [models])
    everything = names(target / FOLDER)
    step = 1
    while killed("remove", models, target, step):
        # The index of weights goes first: exo never takes what is left for complete.
        assert not exo.is_complete(target / FOLDER) or everything <= names(target / FOLDER)
        if target.exists():
            view.remove(target)
        assert not target.exists()
        view.make(target, [models])
        step += 2
    assert step > 10
    assert not target.exists()


MANY = """
import sys
from kimi_tokenizers import view
from kimi_tokenizers.errors import ViewError
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[4])):
    if sys.argv[1] == "make":
        (model,) = view.make(sys.argv[3], [sys.argv[2]]).models
        assert model.problem is None, model.problem
        assert sys.argv[5] != "alone" or model.complete
    else:
        try:
            view.remove(sys.argv[3])
        except ViewError as error:
            assert "does not exist" in str(error), error
"""


def at_once(actions: list[str], models: Path, target: Path, rounds: int) -> None:
    """Run actions in as many processes, which all begin when all are ready."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    mixed = "mixed" if "remove" in actions else "alone"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, action, models, target, str(rounds), mixed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for action in actions
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def test_several_processes_make_one_view(models: Path, target: Path) -> None:
    at_once(["make"] * 4, models, target, 2)
    assert only(view.make(target, [models])).changes == ()
    assert set(os.listdir(target)) == {FOLDER, MARKER, LOCK}


def test_making_and_removing_at_once_ends_in_the_one_or_the_other(models: Path, target: Path) -> None:
    before = tree(models)
    at_once(["make", "remove", "make", "remove"], models, target, 5)
    if target.exists():
        assert set(os.listdir(target)) <= {FOLDER, MARKER, LOCK}
    model = only(view.make(target, [models]))
    assert (model.complete, model.problem) == (True, None)
    view.remove(target)
    assert not target.exists()
    assert tree(models) == before


# -- telling exo ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "value"),
    [
        ({}, "/v"),
        ({"EXO_MODELS_READ_ONLY_DIRS": ""}, "/v"),
        ({"EXO_MODELS_READ_ONLY_DIRS": "/a:~/b"}, "/v:/a:~/b"),
        ({"EXO_MODELS_READ_ONLY_DIRS": "/a::/v:/b/../v"}, "/v:/a"),
    ],
)
def test_the_view_is_put_in_front_of_the_dirs_that_are_set(before: dict[str, str], value: str) -> None:
    (line,) = view.environment_lines("/v", "linux", before)
    assert shlex.split(line) == ["export", f"EXO_MODELS_READ_ONLY_DIRS={value}"]
    shell, app = view.environment_lines("/v", "darwin", before)
    assert shell == line
    assert shlex.split(app) == ["launchctl", "setenv", "EXO_MODELS_READ_ONLY_DIRS", value]


def test_the_line_makes_exo_find_the_view(models: Path, tmp_path: Path) -> None:
    target = tmp_path / "it's $HOME's \"view\""
    view.make(target, [models])
    (line,) = view.environment_lines(target, "linux", {"EXO_MODELS_READ_ONLY_DIRS": str(models)})
    script = f'{line}\nprintf %s "$EXO_MODELS_READ_ONLY_DIRS"'
    value = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert exo.find_model(MODEL, {"EXO_MODELS_READ_ONLY_DIRS": value, "HOME": str(tmp_path)}) == target / FOLDER


def test_a_path_with_a_colon_cannot_be_told() -> None:
    with pytest.raises(ViewError, match="colon"):
        view.environment_lines("/a:b", "linux", {})


def test_a_report_is_json(models: Path, target: Path) -> None:
    value = json.loads(json.dumps(dataclasses.asdict(view.make(target, [models], [MODEL, "a/b"]))))
    assert value["target"] == str(target)
    assert value["models"][0]["changes"][0] == {"action": "add", "path": f"{FOLDER}/__pycache__"}
    assert value["models"][1]["source"] is None


# -- what somebody else puts into it -------------------------------------------------------------


def test_bytecode_that_somebody_put_there_is_removed(models: Path, target: Path) -> None:
    view.make(target, [models])
    blocked = target / FOLDER / "__pycache__"
    blocked.unlink()
    blocked.mkdir()
    for name in ("tool_declaration_ts.cpython-313.pyc", "json.cpython-313.pyc"):
        (blocked / name).write_text("poison")
    assert only(view.make(target, [models])).problem is None
    assert blocked.read_bytes() == b""


@pytest.mark.parametrize("name", ["tiktoken.py", "tiktoken/__init__.py", "regex.abi3.so", "json.pyc"])
def test_a_module_that_somebody_put_there_is_named_and_left(name: str, models: Path, target: Path) -> None:
    view.make(target, [models])
    path = target / FOLDER / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit")
    said = problem(view.make(target, [models]))
    assert repr(name) in said
    assert "Python could import" in said
    assert path.exists()


def test_a_linked_package_that_somebody_put_there_is_named(models: Path, target: Path, tmp_path: Path) -> None:
    view.make(target, [models])
    (target / FOLDER / "tiktoken").symlink_to(fill(tmp_path / "elsewhere"))
    assert "'tiktoken'" in problem(view.make(target, [models]))


def test_a_file_that_could_become_a_package_is_not_linked(models: Path, target: Path) -> None:
    """A link to it would lead to the package that is there when exo looks."""
    (models / FOLDER / "tiktoken").write_text("a file")
    view.make(target, [models])
    assert not os.path.lexists(target / FOLDER / "tiktoken")


def test_a_folder_in_the_way_that_is_a_link_is_not_followed(models: Path, target: Path, tmp_path: Path) -> None:
    (fill(models / FOLDER / "vision") / "a.safetensors").write_text("w")
    view.make(target, [models])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(target / FOLDER / "vision")
    (target / FOLDER / "vision").symlink_to(elsewhere)
    assert "'vision" in problem(view.make(target, [models]))
    view.remove(target)
    assert list(elsewhere.iterdir()) == []


def test_a_view_that_others_can_write_to_is_refused(models: Path, target: Path) -> None:
    view.make(target, [models])
    target.chmod(0o777)
    for attempt in (lambda: view.make(target, [models]), lambda: view.remove(target)):
        with pytest.raises(KimiTokenizersError, match="can be written to by others"):
            attempt()
