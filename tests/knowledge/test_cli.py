import json
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.__main__ import main
from knowledge.versions import Versions

ROUTER = """---
id: router-lights
title: What the light on your router means
---

A red light means that the router has no connection. Restart it.
"""
SECRET = """---
id: fraud
title: When to set a fraud flag
audience: internal
---

Set the zebra marker.
"""


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "router.md").write_text(ROUTER, encoding="utf-8")
    (folder / "fraud.md").write_text(SECRET, encoding="utf-8")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    return ["--data-dir", str(tmp_path / "data")]


def test_ingest_says_what_it_read_and_what_it_left_out_and_why(
    articles: Path, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (articles / "broken.pdf").write_bytes(b"%PDF-1.4 not really")
    assert main(["ingest", str(articles), *data]) == 0
    shown = capsys.readouterr().out
    assert "Read 2 documents (1 internal)" in shown
    assert "broken.pdf: " in shown
    assert "is now in use" in shown


def test_ingesting_the_same_again_says_that_nothing_has_changed(
    articles: Path, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ingest", str(articles), *data])
    assert main(["ingest", str(articles), *data]) == 0
    assert "Nothing has changed" in capsys.readouterr().out


def test_search_prints_passages_with_scores_and_answerability(
    articles: Path, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ingest", str(articles), *data])
    capsys.readouterr()
    assert main(["search", "red light on my router", *data]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("answerability ")
    assert "What the light on your router means  [router-lights]" in shown
    assert "zebra" not in shown


def test_search_prints_json(articles: Path, data: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["ingest", str(articles), *data])
    capsys.readouterr()
    assert main(["search", "and what does it mean?", "--before", "my router is red", "--limit", "1", "--json", *data]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [passage["document"] for passage in found["passages"]] == ["router-lights"]
    assert found["version"]


def test_status_checks_the_index_and_says_what_it_holds(
    articles: Path, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ingest", str(articles), *data])
    capsys.readouterr()
    assert main(["status", *data]) == 0
    assert "1 public documents in 1 passages, 1 internal in 1" in capsys.readouterr().out
    assert main(["status", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 1


@pytest.mark.parametrize("command", [["status"], ["search", "anything"]])
def test_without_an_index_one_line_says_what_to_do(
    command: list[str], data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *data]) == 2
    assert "Run `python -m knowledge ingest" in capsys.readouterr().err


def test_the_folder_is_the_one_that_the_bot_reads_from_the_environment_or_an_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATA_DIR", raising=False)
    (tmp_path / ".env").write_text("DATA_DIR=elsewhere\nCOMPANY=Nordhem\n")
    assert main(["status"]) == 2
    assert str(Path("elsewhere") / "knowledge") in capsys.readouterr().err
    monkeypatch.setenv("DATA_DIR", "here")
    assert main(["status"]) == 2
    assert str(Path("here") / "knowledge") in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, data: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(tmp_path / "nowhere"), *data]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_folder_with_nothing_to_read_leaves_the_knowledge_base_as_it_is(
    articles: Path, data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ingest", str(articles), *data])
    before = Versions(tmp_path / "data" / "knowledge").current()
    (tmp_path / "empty").mkdir()
    assert main(["ingest", str(tmp_path / "empty"), *data]) == 1
    assert "No document could be read" in capsys.readouterr().err
    assert Versions(tmp_path / "data" / "knowledge").current() == before


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_no_number_above_0_is_refused(
    limit: str, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["search", "anything", f"--limit={limit}", *data])
    assert "is not a number above 0" in capsys.readouterr().err


def test_an_ingestion_that_finds_nothing_changed_loads_neither_chroma_nor_llama_index(
    articles: Path, data: list[str]
) -> None:
    main(["ingest", str(articles), *data])
    code = (
        "import sys; from knowledge.__main__ import main; main(sys.argv[1:]); "
        "print([name for name in ('chromadb', 'llama_index', 'sklearn', 'torch') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "ingest", str(articles), *data], capture_output=True, text=True, check=True
    )
    assert "Nothing has changed" in run.stdout
    assert run.stdout.rstrip().endswith("[]")
