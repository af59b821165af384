"""Where model directories are looked for, and that a search which found nothing says where it looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layouts import hf_snapshot, write_layout
from sync_directories import FOLDER, MODEL, broken

from kimi_tokenizers.errors import UnknownModelError
from kimi_tokenizers.model_dirs import find_models
from kimi_tokenizers.model_dirs.finding import hf_cache_dir


def found(*arguments: Any, **options: Any) -> list[str]:
    return [f"{model.model_id} {model.path.name}" for model in find_models(*arguments, **options).models]


def test_exos_own_models_dirs_and_the_cache_are_searched(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "EXO_DEFAULT_MODELS_DIR": str(tmp_path / "default"),
        "EXO_MODELS_DIRS": f"{tmp_path}/more:{tmp_path}/missing",
        "EXO_MODELS_READ_ONLY_DIRS": f"{tmp_path}/read-only",
        "HF_HUB_CACHE": str(tmp_path / "hub"),
    }
    for number, name in enumerate(("default", "more", "read-only")):
        write_layout(tmp_path / name / f"moonshotai--Kimi-K2.6-{number}", "empty")
    write_layout(tmp_path / "default" / "mlx-community--Qwen3-8B-4bit", "empty")
    write_layout(tmp_path / "default" / "moonshotai--Kimi-K3.1-Pro", "empty")
    hf_snapshot(tmp_path / "hub", MODEL, "broken", revision="a1")
    hf_snapshot(tmp_path / "hub", MODEL, "broken", revision="a2")
    own = [f"moonshotai/Kimi-K2.6-{number} moonshotai--Kimi-K2.6-{number}" for number in (2, 0, 1)]
    assert found(env=env) == own
    assert found(hf_cache=True, env=env) == [*own, f"{MODEL} a1", f"{MODEL} a2"]
    assert found([tmp_path / "hub"], env=env) == [f"{MODEL} a1", f"{MODEL} a2"]
    assert found(env=env, model_ids=["MoonshotAI/kimi-k2.6-1"]) == own[2:]
    assert found(env={"HOME": str(tmp_path / "nobody")}) == []
    with pytest.raises(UnknownModelError):
        find_models(model_ids=["moonshotai/Kimi-K3.1-Pro"])


def test_where_hugging_face_keeps_its_cache() -> None:
    assert hf_cache_dir({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert hf_cache_dir({"HF_HOME": "/b"}) == Path("/b/hub")
    assert hf_cache_dir({"HOME": "/c"}) == Path("/c/.cache/huggingface/hub")
    assert hf_cache_dir({"HOME": "/c", "XDG_CACHE_HOME": "/d"}) == Path("/d/huggingface/hub")


def test_a_directory_is_found_once(tmp_path: Path) -> None:
    broken(tmp_path / "models")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / FOLDER).symlink_to(tmp_path / "models" / FOLDER)
    assert len(found([tmp_path / "models", tmp_path / "more", tmp_path / "models"])) == 1


# -- nothing found -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "path"),
    [
        ("EXO_DEFAULT_MODELS_DIR", "{0}/typo", "{0}/typo"),
        ("EXO_MODELS_DIRS", "{0}/typo", "{0}/typo"),
        ("EXO_MODELS_READ_ONLY_DIRS", "{0}/typo", "{0}/typo"),
        ("EXO_HOME", "typo", "{0}/typo/models"),
        ("HF_HUB_CACHE", "{0}/typo", "{0}/typo"),
        ("HF_HOME", "{0}/typo", "{0}/typo/hub"),
    ],
)
def test_what_a_variable_names_and_is_not_there_is_a_problem_even_if_models_are_found(
    tmp_path: Path, variable: str, value: str, path: str
) -> None:
    write_layout(tmp_path / "models" / FOLDER, "good")
    env = {"HOME": str(tmp_path), variable: value.format(tmp_path)}
    if variable not in ("EXO_DEFAULT_MODELS_DIR", "EXO_HOME"):
        env["EXO_DEFAULT_MODELS_DIR"] = str(tmp_path / "models")
    else:
        env["EXO_MODELS_DIRS"] = str(tmp_path / "models")
    result = find_models(hf_cache=True, env=env)
    assert len(result.models) == 1
    [problem] = result.problems
    assert f"{path.format(tmp_path)!r} ({variable}) cannot be read: No such file or directory." in problem
    assert "Set " + variable in problem


def test_finding_nothing_names_every_place_and_why_it_is_one(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    env = {"HOME": str(tmp_path), "EXO_MODELS_DIRS": f"{tmp_path}/more", "XDG_DATA_HOME": str(tmp_path / "data")}
    result = find_models(hf_cache=True, env=env)
    [problem] = result.problems
    for text in (
        f"{str(tmp_path / 'more')!r} (EXO_MODELS_DIRS): holds no Kimi model",
        "(Hugging Face's default; HF_HUB_CACHE is not set): no such file",
    ):
        assert text in problem
    sources = {place.source.split(";")[0] for place in result.places}
    assert "EXO_MODELS_DIRS" in sources
    assert sources & {"XDG_DATA_HOME", "exo's default"}
    assert [place.models for place in result.places if place.path.name == "more"] == [0]


def test_a_default_that_does_not_exist_is_no_problem_where_models_are_found_elsewhere(tmp_path: Path) -> None:
    write_layout(tmp_path / "more" / FOLDER, "good")
    env = {"HOME": str(tmp_path), "EXO_MODELS_DIRS": f"{tmp_path}/more"}
    result = find_models(env=env)
    assert (len(result.models), result.problems, result.hints) == (1, [], [])
    result = find_models(hf_cache=True, env=env)
    assert result.problems == []
    assert "does not exist, so nothing was looked at there" in result.hints[0]  # it was asked for


def test_each_folder_that_the_user_names_has_to_hold_a_model(tmp_path: Path) -> None:
    write_layout(tmp_path / "a" / FOLDER, "good")
    (tmp_path / "b").mkdir()
    assert find_models([tmp_path / "a"]).problems == []
    assert find_models([tmp_path / "a", tmp_path / "b"]).problems == [f"{str(tmp_path / 'b')!r} holds no Kimi model."]
    [problem] = find_models([tmp_path / "b"]).problems
    assert f"Looked in {str(tmp_path / 'b')!r}: holds no Kimi model" in problem
    [problem] = find_models([tmp_path / "nul\0"]).problems
    assert "cannot be read" in problem


def test_a_model_that_is_asked_for_and_not_there_names_the_places(tmp_path: Path) -> None:
    write_layout(tmp_path / "a" / FOLDER, "good")
    env = {"HOME": str(tmp_path), "EXO_DEFAULT_MODELS_DIR": str(tmp_path / "a")}
    result = find_models(model_ids=["moonshotai/Kimi-K2.5"], env=env)
    assert result.models == []
    place = f"{str(tmp_path / 'a')!r} (EXO_DEFAULT_MODELS_DIR)"
    assert result.problems == [f"moonshotai/Kimi-K2.5 was not found in {place}."]


def test_snapshots_that_cannot_be_read_are_a_problem(tmp_path: Path) -> None:
    snapshots = tmp_path / "models--moonshotai--Kimi-K2.6" / "snapshots"
    snapshots.parent.mkdir()
    snapshots.symlink_to(snapshots)  # no right can be taken from root, but nobody gets through a loop
    problems = find_models([tmp_path]).problems
    assert f"The snapshots in {str(snapshots.parent)!r} cannot be read" in problems[0]
