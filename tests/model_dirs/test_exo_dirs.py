"""Where exo 0.3.70 keeps models, and which directories it takes for complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from kimi_tokenizers.model_dirs import exo

HOME = {"HOME": "/home/ann"}
MODEL = "moonshotai/Kimi-K2.6"
FOLDER = "moonshotai--Kimi-K2.6"
WEIGHTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def make_model(directory: Path, weights: Iterable[str] = WEIGHTS) -> Path:
    """A model directory with an index and the weight files it names."""
    directory.mkdir(parents=True, exist_ok=True)
    write_index(directory / "model.safetensors.index.json", weights)
    for weight in weights:
        (directory / weight).parent.mkdir(parents=True, exist_ok=True)
        (directory / weight).write_bytes(b"weights")
    return directory


def write_index(path: Path, weights: Iterable[object]) -> None:
    weight_map = {f"layer.{number}": weight for number, weight in enumerate(weights)}
    path.write_text(json.dumps({"metadata": {"total_size": 14}, "weight_map": weight_map}))


# -- models dirs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "linux", "macos"),
    [
        ({}, "/home/ann/.local/share/exo", "/home/ann/.exo"),
        ({"XDG_DATA_HOME": "/data"}, "/data/exo", "/home/ann/.exo"),
        ({"EXO_HOME": ".my-exo"}, "/home/ann/.my-exo", "/home/ann/.my-exo"),
        ({"EXO_HOME": "a/b", "XDG_DATA_HOME": "/data"}, "/home/ann/a/b", "/home/ann/a/b"),
        ({"EXO_HOME": "/srv/exo"}, "/srv/exo", "/srv/exo"),
        ({"EXO_HOME": "", "XDG_DATA_HOME": ""}, "/home/ann/.local/share/exo", "/home/ann/.exo"),
        ({"EXO_DEFAULT_MODELS_DIR": "/m"}, "/home/ann/.local/share/exo", "/home/ann/.exo"),
    ],
)
def test_data_home(variables: dict[str, str], linux: str, macos: str) -> None:
    assert exo.data_home(HOME | variables, "linux") == Path(linux)
    assert exo.data_home(HOME | variables, "darwin") == Path(macos)


@pytest.mark.parametrize(
    ("variables", "linux", "macos"),
    [
        ({}, "/home/ann/.local/share/exo/models", "/home/ann/.exo/models"),
        ({"XDG_DATA_HOME": "/data"}, "/data/exo/models", "/home/ann/.exo/models"),
        ({"EXO_HOME": ".my-exo"}, "/home/ann/.my-exo/models", "/home/ann/.my-exo/models"),
        ({"EXO_DEFAULT_MODELS_DIR": "/m", "EXO_HOME": "x"}, "/m", "/m"),
        ({"EXO_DEFAULT_MODELS_DIR": "~/m"}, "/home/ann/m", "/home/ann/m"),
        (
            {"EXO_DEFAULT_MODELS_DIR": ""},
            "/home/ann/.local/share/exo/models",
            "/home/ann/.exo/models",
        ),
    ],
)
def test_default_models_dir(variables: dict[str, str], linux: str, macos: str) -> None:
    assert exo.default_models_dir(HOME | variables, "linux") == Path(linux)
    assert exo.default_models_dir(HOME | variables, "darwin") == Path(macos)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (":", []),
        ("/a", ["/a"]),
        ("/a:/b", ["/a", "/b"]),
        ("/b::/a:", ["/b", "/a"]),
        ("/a:/b:/a/:/b", ["/a", "/b"]),
        ("~:~/m:~//n", ["/home/ann", "/home/ann/m", "/home/ann/n"]),
        ("/a b:/ä", ["/a b", "/ä"]),
        ("~nobody-of-this-name/m", ["~nobody-of-this-name/m"]),
        ("/~/m", ["/~/m"]),
    ],
)
def test_lists_are_separated_by_colons_and_expanded(platform: str, value: str, expected: list[str]) -> None:
    paths = [Path(path) for path in expected]
    default = exo.default_models_dir(HOME, platform)
    writable = HOME | {"EXO_MODELS_DIRS": value}
    assert exo.writable_models_dirs(writable, platform) == [default, *paths]
    assert exo.read_only_models_dirs(writable, platform) == []
    read_only = HOME | {"EXO_MODELS_READ_ONLY_DIRS": value}
    assert exo.read_only_models_dirs(read_only, platform) == paths
    assert exo.writable_models_dirs(read_only, platform) == [default]


def test_a_dir_in_both_lists_is_read_only() -> None:
    env = HOME | {"EXO_MODELS_DIRS": "/a:~/b:/c", "EXO_MODELS_READ_ONLY_DIRS": "/home/ann/b:/d"}
    assert exo.writable_models_dirs(env, "darwin") == [
        Path("/home/ann/.exo/models"),
        Path("/a"),
        Path("/c"),
    ]
    assert exo.read_only_models_dirs(env, "darwin") == [Path("/home/ann/b"), Path("/d")]


def test_read_only_dirs_are_searched_first_and_each_dir_once() -> None:
    env = HOME | {
        "EXO_DEFAULT_MODELS_DIR": "/default",
        "EXO_MODELS_DIRS": "/a:/default",
        "EXO_MODELS_READ_ONLY_DIRS": "/r:/s",
    }
    expected = [Path("/r"), Path("/s"), Path("/default"), Path("/a")]
    assert exo.models_dirs(env, "linux") == expected
    assert exo.models_dirs(env, "darwin") == expected


def test_the_environment_and_the_platform_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("EXO_HOME", "XDG_DATA_HOME", "EXO_DEFAULT_MODELS_DIR", "EXO_MODELS_DIRS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EXO_MODELS_READ_ONLY_DIRS", "~/r")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert exo.models_dirs() == [tmp_path / "r", tmp_path / ".exo" / "models"]
    monkeypatch.setattr(sys, "platform", "linux")
    assert exo.models_dirs() == [tmp_path / "r", tmp_path / ".local/share/exo/models"]


def test_without_home_the_home_of_the_user_is_taken() -> None:
    assert exo.data_home({}, "darwin") == Path.home() / ".exo"


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model_id", "folder"),
    [
        (MODEL, FOLDER),
        ("mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8", "mlx-community--Kimi-K2.6-mlx-DQ3_K_M-q8"),
        ("org/name--with--dashes", "org--name--with--dashes"),
    ],
)
def test_folder_names_go_both_ways(model_id: str, folder: str) -> None:
    assert exo.folder_name(model_id) == folder
    assert exo.model_id_of(folder) == model_id


@pytest.mark.parametrize("folder", ["", "--", "caches", "org-name", "--name", "org--", "a/b--c"])
def test_other_folders_stand_for_no_model(folder: str) -> None:
    assert exo.model_id_of(folder) is None


def test_file_list_cache_is_below_the_default_dir() -> None:
    env = HOME | {"EXO_DEFAULT_MODELS_DIR": "/m", "EXO_MODELS_DIRS": "/a"}
    expected = Path("/m/caches") / FOLDER / f"{FOLDER}--main--file_list.json"
    assert exo.file_list_cache(MODEL, env, "linux") == expected
    macos = exo.file_list_cache(MODEL, HOME, "darwin")
    assert macos.parent == Path("/home/ann/.exo/models/caches") / FOLDER


# -- completeness --------------------------------------------------------------------------------


def test_index_and_every_weight_make_a_complete_model(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    assert exo.is_complete(model)
    assert exo.is_complete(str(model))
    (model / WEIGHTS[1]).unlink()
    assert not exo.is_complete(model)


def test_weights_without_an_index_are_not_complete(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    (model / "model.safetensors.index.json").unlink()
    assert not exo.is_complete(model)


def test_a_half_downloaded_weight_does_not_count(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    (model / WEIGHTS[0]).rename(model / f"{WEIGHTS[0]}.partial")
    assert not exo.is_complete(model)


def test_a_half_downloaded_index_does_not_count(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    index = model / "model.safetensors.index.json"
    index.rename(model / f"{index.name}.partial")
    assert not exo.is_complete(model)


def test_an_index_is_found_at_any_depth_and_names_files_beside_itself(tmp_path: Path) -> None:
    make_model(tmp_path / FOLDER / ".deep" / "text")
    assert exo.is_complete(tmp_path / FOLDER)


def test_every_index_must_be_satisfied(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    make_model(model / "vision")
    assert exo.is_complete(model)
    (model / "vision" / WEIGHTS[0]).unlink()
    assert not exo.is_complete(model)


def test_weights_may_lie_in_a_folder(tmp_path: Path) -> None:
    assert exo.is_complete(make_model(tmp_path / FOLDER, ["parts/a.safetensors"]))


def test_links_to_files_count_and_dangling_links_do_not(tmp_path: Path) -> None:
    source = make_model(tmp_path / "source")
    view = tmp_path / "view"
    view.mkdir()
    for path in source.iterdir():
        (view / path.name).symlink_to(path)
    assert exo.is_complete(view)
    (source / WEIGHTS[0]).unlink()
    assert not exo.is_complete(view)


def test_the_model_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    make_model(tmp_path / "source")
    (tmp_path / FOLDER).symlink_to(tmp_path / "source", target_is_directory=True)
    assert exo.is_complete(tmp_path / FOLDER)


def test_an_index_behind_a_linked_directory_is_not_seen(tmp_path: Path) -> None:
    make_model(tmp_path / "source")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "parts").symlink_to(tmp_path / "source", target_is_directory=True)
    assert not exo.is_complete(tmp_path / FOLDER)


def test_a_weight_behind_a_linked_directory_is_not_seen(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER, ["parts/a.safetensors"])
    (model / "parts").rename(tmp_path / "elsewhere")
    (model / "parts").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert not exo.is_complete(model)


def test_a_loop_of_links_is_not_followed(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    (model / "again").symlink_to(model, target_is_directory=True)
    (model / "self").symlink_to("self")
    assert exo.is_complete(model)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"garbage",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b'{"weight_map": null}',
        b'{"weight_map": ["a.safetensors"]}',
        b'{"weight_map": {"layer": 1}}',
        b'{"weight_map": {"layer": null}}',
        b'{"weight_map": {"layer": ["a.safetensors"]}}',
        b'\xef\xbb\xbf{"weight_map": {}}',
        b"[" * 200_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_corrupt_index_is_not_complete(tmp_path: Path, content: bytes) -> None:
    model = make_model(tmp_path / FOLDER)
    assert exo.is_complete(model)
    (model / "other.safetensors.index.json").write_bytes(content)
    assert not exo.is_complete(model)


@pytest.mark.parametrize("name", ["", ".", "..", "../a.safetensors", "a\0b", "folder", "x" * 5000])
def test_a_weight_name_that_is_no_file_of_the_model_is_never_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"weights of another model")
    model = make_model(tmp_path / FOLDER)
    (model / "folder").mkdir()
    write_index(model / "hostile.safetensors.index.json", [name])
    assert not exo.is_complete(model)


def test_an_absolute_weight_name_is_never_found(tmp_path: Path) -> None:
    outside = tmp_path / "a.safetensors"
    outside.write_bytes(b"weights of another model")
    model = make_model(tmp_path / FOLDER)
    write_index(model / "hostile.safetensors.index.json", [str(outside)])
    assert not exo.is_complete(model)


def test_an_index_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(tmp_path / FOLDER)
    size = (model / "model.safetensors.index.json").stat().st_size
    monkeypatch.setattr(exo, "MAX_INDEX_BYTES", size)
    assert exo.is_complete(model)
    monkeypatch.setattr(exo, "MAX_INDEX_BYTES", size - 1)
    assert not exo.is_complete(model)


def test_an_index_that_is_no_file_is_not_complete(tmp_path: Path) -> None:
    for number, make in enumerate((os.mkfifo, os.mkdir)):
        model = make_model(tmp_path / str(number))
        make(model / "other.safetensors.index.json")
        assert not exo.is_complete(model)


@pytest.mark.parametrize("name", ["missing", "file", "nul\0", "x" * 5000])
def test_what_is_no_directory_is_not_complete(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not exo.is_complete(tmp_path / name)


def test_odd_file_names_are_no_obstacle(tmp_path: Path) -> None:
    model = make_model(tmp_path / FOLDER)
    (model / "two\nlines").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(model) + b"/not-\xff-utf8")).write_bytes(b"")
    assert exo.is_complete(model)


# -- finding -------------------------------------------------------------------------------------


def test_the_first_complete_folder_is_taken(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "EXO_MODELS_DIRS": str(tmp_path / "writable"),
        "EXO_MODELS_READ_ONLY_DIRS": f"{tmp_path}/first:{tmp_path}/second",
    }
    for platform in ("linux", "darwin"):
        assert exo.find_model(MODEL, env, platform) is None
    further = make_model(tmp_path / "writable" / FOLDER)
    assert exo.find_model(MODEL, env, "linux") == further
    default = make_model(exo.default_models_dir(env, "linux") / FOLDER)
    assert exo.find_model(MODEL, env, "linux") == default
    assert exo.find_model(MODEL, env, "darwin") == further
    second = make_model(tmp_path / "second" / FOLDER)
    assert exo.find_model(MODEL, env, "linux") == second
    first = make_model(tmp_path / "first" / FOLDER)
    assert exo.find_model(MODEL, env, "linux") == first
    (first / WEIGHTS[0]).unlink()
    assert exo.find_model(MODEL, env, "linux") == second


@pytest.mark.parametrize("model_id", ["", ".", "..", "../..", "a\0b", "x" * 10_000, "/", "caches"])
def test_a_hostile_id_finds_nothing(tmp_path: Path, model_id: str) -> None:
    make_model(tmp_path / "models")
    make_model(tmp_path)
    env = {"EXO_DEFAULT_MODELS_DIR": str(tmp_path / "models")}
    assert exo.find_model(model_id, env) is None


def test_looking_imports_nothing_heavy_and_writes_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from kimi_tokenizers.model_dirs import exo; exo.find_model('a/b'); exo.models_dirs();"
        "print(sorted({'transformers', 'tiktoken', 'jinja2'} & set(sys.modules)))"
    )
    env = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []
