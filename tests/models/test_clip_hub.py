"""CLIPs named on Hugging Face's hub: a cache of huggingface_hub made by hand, and a stand-in for the package."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import tiny_clip
from small_files import json_lines
from tiny_clip import TinyClip
from tiny_vocabulary import learn_merges, vocabulary, write_json

import clip3d
from clip3d.errors import MissingExtra, ModelError
from clip3d.models.clip_hub import fetch_checkpoint, is_hub_name, wanted_files

MERGES = learn_merges()
COMMIT = "a" * 40


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A checkpoint in the folder of a snapshot, as huggingface_hub keeps it."""
    monkeypatch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
    repository = tmp_path / "hub" / "models--maker--tiny"
    folder = repository / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    tiny_clip.write_hugging_face(TinyClip(), folder)
    write_json(folder / "tokenizer.json", MERGES)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return folder


@pytest.fixture
def hub(published, monkeypatch):
    """In place of huggingface_hub: a hub with one model, that notes what is asked of it."""
    hub = ModuleType("huggingface_hub")
    hub.asked, hub.files = [], [path.name for path in published.iterdir()]

    def model_info(name, revision=None):
        hub.asked.append((name, revision))
        if name != "maker/tiny":
            raise type("RepositoryNotFoundError", (Exception,), {})(f"404: no {name}\nRequest ID: 1")
        siblings = [SimpleNamespace(rfilename=file) for file in (*hub.files, "modeling.py", "flax_model.msgpack")]
        return SimpleNamespace(sha=COMMIT, siblings=siblings, card_data=SimpleNamespace(license="mit"))

    def snapshot_download(name, revision, allow_patterns):
        hub.asked.append((name, revision, sorted(allow_patterns)))
        if revision != COMMIT:  # of a commit's own name the package keeps no note
            hub.noted.add(revision or "main")
        return str(published)

    def try_to_load_from_cache(name, file, revision=None):
        known = (revision or "main") in hub.noted | {COMMIT} and (published / file).exists()
        return str(published / file) if known else None

    hub.HfApi = lambda: SimpleNamespace(model_info=model_info)
    hub.snapshot_download = snapshot_download
    hub.try_to_load_from_cache, hub.noted = try_to_load_from_cache, set()
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return hub


@pytest.mark.parametrize("name", ["maker/tiny", "hf-hub:maker/tiny"])
def test_a_model_on_the_hub_is_fetched_and_converted(name, hub, run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_cli("models", "convert", name, "mine", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json_lines(done.stdout)
    assert (record["licence"], record["layout"]) == ("mit", "huggingface")
    provenance = clip3d.load("mine").card.data[0]
    assert provenance["source"] == f"hf-hub:maker/tiny@{COMMIT}"
    wanted = ["config.json", "model.safetensors", "tokenizer.json"]
    assert hub.asked == [("maker/tiny", None), ("maker/tiny", None, wanted)]
    assert "looked for on the hub" in done.stderr


@pytest.mark.parametrize("name", ["maker/tiny", "maker/tiny@v2", f"maker/tiny@{COMMIT}"])
def test_what_was_fetched_is_found_again_off_line(name, hub):
    fetched = fetch_checkpoint(name)

    def unreachable(*_, **__):
        raise ConnectionError("no route to host")

    hub.HfApi = lambda: SimpleNamespace(model_info=unreachable)
    again = fetch_checkpoint(name)
    assert (again.folder, again.source) == (fetched.folder, fetched.source)


def test_a_model_with_conditions_needs_a_login(hub):
    def refused(*_, **__):
        raise type("GatedRepoError", (Exception,), {})("403: accept the conditions")

    hub.snapshot_download = refused
    with pytest.raises(ModelError, match=r"accept the conditions.*login"):
        fetch_checkpoint("maker/tiny")


def test_what_is_here_is_never_looked_for_on_the_hub(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("maker/tiny").mkdir(parents=True)
    assert not is_hub_name("maker/tiny")
    assert is_hub_name("hf-hub:maker/tiny")
    assert is_hub_name("maker/tiny@v2")
    for path in ("tiny", "a/b/c", "/maker/other", "./maker", "maker/weights.pt", "maker/x.safetensors.index.json"):
        assert not is_hub_name(path)
    assert not hub.asked


def test_names_that_lead_nowhere_are_refused(hub, run_cli, tmp_path):
    done = run_cli("models", "convert", "maker/tyni", tmp_path / "mine")
    assert done.returncode == 2
    assert "there is no such file or folder here; it is not open on the hub: 404" in done.stderr
    assert not (tmp_path / "mine").exists()
    with pytest.raises(ModelError, match="write hf-hub:OWNER/NAME"):
        fetch_checkpoint("hf-hub:maker/../tiny")
    hub.files = ["README.md"]
    with pytest.raises(ModelError, match="holds not one file of weights but these: none"):
        fetch_checkpoint("maker/tiny")


def test_one_checkpoint_is_fetched_of_several_forms():
    files = ["pytorch_model.bin", "model.safetensors.index.json", "model-00001-of-00001.safetensors", "x.pt"]
    assert wanted_files("a/b", files) == ["model.safetensors.index.json", "model-*.safetensors"]
    assert wanted_files("a/b", ["ViT-B-32.pt", "code.py"]) == ["ViT-B-32.pt"]
    both = ["model.safetensors", "open_clip_model.safetensors"]
    assert wanted_files("a/b", both) == ["open_clip_model.safetensors"]
    with pytest.raises(ModelError, match=r"a\.pt, b\.pt"):
        wanted_files("a/b", ["a.pt", "b.pt"])


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch, run_cli):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    told = r'no such file or folder here; fetching maker/tiny.*pip install "clip3d\[clip\]"'
    with pytest.raises(MissingExtra, match=told):
        fetch_checkpoint("maker/tiny")
    assert run_cli("models", "convert", "maker/tiny", tmp_path / "mine").returncode == 2


def test_off_line_the_cache_of_the_true_package_answers(published, monkeypatch):
    pytest.importorskip("huggingface_hub")
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(published.parent.parent.parent))
    for name in ("maker/tiny", "hf-hub:maker/tiny", f"maker/tiny@{COMMIT}"):
        fetched = fetch_checkpoint(name)
        assert (fetched.folder, fetched.source) == (published, f"hf-hub:maker/tiny@{COMMIT}")
    with pytest.raises(ModelError, match=r"the hub cannot be reached .* and no copy is cached"):
        fetch_checkpoint("maker/other")
