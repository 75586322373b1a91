"""The doctor finds what is wrong with a deployment, says what to do, and repeats no secret; the example file is today's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.doctor import (
    _check_headers,
    check_company,
    check_database,
    check_files,
    check_knowledge,
    check_redis,
    check_secrets,
    examine,
)
from bot.settings import ROOT, Settings
from bot.settings_place import GENERIC_INTENTS, LARKFIELDS_INTENTS
from bot.settings_text import settings_example
from bot.sql.log import open_log
from knowledge.document import Document, DocumentId
from knowledge.index import build_index
from tests.api.conftest import API_APP, PLENTY
from tests.server import Server, free_port


def wrong(findings: Iterator) -> list[str]:
    return [f"{finding.what} {finding.fix}" for finding in findings if finding.grade == "wrong"]


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(data_dir=tmp_path, _env_file=None, **more)


def test_wrong_settings_are_all_told_and_nothing_else_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURN_SECONDS", "-1")
    monkeypatch.setenv("CUSTOMER_TOKEN_SECRET", "weak-secret")
    [finding] = examine()
    assert "TURN_SECONDS" in finding.what
    assert "CUSTOMER_TOKEN_SECRET" in finding.what
    assert "weak-secret" not in finding.what


async def test_a_database_that_is_well_is_told_so_and_a_damaged_one_and_one_that_others_can_read(tmp_path: Path) -> None:
    await open_log(None, tmp_path).close()
    assert wrong(check_database(settings(tmp_path))) == []
    file = tmp_path / "frontdesk.db"
    file.chmod(0o644)
    assert "chmod 600" in wrong(check_secrets(settings(tmp_path)))[0]
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) // 2))
    assert "restore a backup" in wrong(check_database(settings(tmp_path)))[0]
    assert (
        "cannot be reached"
        in wrong(check_database(settings(tmp_path, database_url=f"postgresql://ana:hush@127.0.0.1:{free_port()}/x")))[0]
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "file" in wrong(check_files(settings(tmp_path / "file" / "data")))[0]
    assert wrong(check_files(settings(tmp_path))) == []


def test_an_index_without_public_articles_or_damaged_is_found(tmp_path: Path) -> None:
    root = tmp_path / "knowledge"
    public = Document(id=DocumentId("a"), title="Fees", text="A late bill costs £7.50.")
    build_index([public], root)
    assert wrong(check_knowledge(settings(tmp_path))) == []
    [vectors, *_] = sorted(root.rglob("vectors.npy"))
    vectors.write_bytes(b"")
    assert "--rebuild" in wrong(check_knowledge(settings(tmp_path)))[0]


def test_another_company_without_articles_is_told_that_the_first_start_takes_the_demos(tmp_path: Path) -> None:
    assert wrong(check_knowledge(settings(tmp_path))) == []
    assert "demo's articles" in wrong(check_knowledge(settings(tmp_path, company="Nordhem")))[0]
    assert wrong(check_knowledge(settings(tmp_path, company="Nordhem", articles_dir=tmp_path))) == []


def test_another_companys_index_that_holds_the_demos_articles_is_wrong(tmp_path: Path) -> None:
    ours = (ROOT / "knowledge" / "articles" / "broadband-faults" / "router-lights.md").read_text(encoding="utf-8")
    build_index([Document(id=DocumentId("router-lights"), title="Lights", text=ours)], tmp_path / "knowledge")
    assert wrong(check_knowledge(settings(tmp_path))) == []
    [told] = wrong(check_knowledge(settings(tmp_path, company="Nordhem")))
    assert "1 of the articles are the demo's" in told
    assert "python -m knowledge ingest" in told
    build_index(
        [Document(id=DocumentId("router-lights"), title="Lamps", text="Lamps have two years.")], tmp_path / "knowledge"
    )
    assert wrong(check_knowledge(settings(tmp_path, company="Nordhem"))) == []


def test_what_is_still_the_demos_is_told_to_another_company_and_not_to_larkfield(tmp_path: Path) -> None:
    assert [finding.grade for finding in check_company(settings(tmp_path))] == ["ok"]
    told = [str(finding) for finding in check_company(settings(tmp_path, company="Nordhem"))]
    assert "python -m bot intents --start" in told[1]
    assert "DESK_FILE" in told[2]
    telecom = settings(tmp_path, company="Nordhem", intents_file=LARKFIELDS_INTENTS, demo=True)
    assert ["INTENTS_FILE" in told or "DEMO" in told for told in wrong(check_company(telecom))] == [True, True]


def test_an_intents_file_of_ones_own_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("intents: 3")
    (tmp_path / "desk.yaml").write_bytes((ROOT / "bot" / "policies" / "desk.yaml").read_bytes())
    own = settings(tmp_path, company="Nordhem", intents_file=tmp_path / "own.yaml", desk_file=tmp_path / "desk.yaml")
    assert "own.yaml" in wrong(check_company(own))[0]
    (tmp_path / "own.yaml").write_bytes(GENERIC_INTENTS.read_bytes())
    assert [finding.grade for finding in check_company(own)] == ["ok"]


def test_a_redis_that_is_not_there_is_found_and_its_password_is_not_told(tmp_path: Path) -> None:
    [told] = wrong(check_redis(settings(tmp_path, redis_url=f"redis://:hush@127.0.0.1:{free_port()}/0")))
    assert "Redis" in told
    assert "hush" not in told


def test_a_site_behind_tls_that_does_not_know_it_is_found() -> None:
    policy = {"Content-Security-Policy": "default-src 'none'"}
    cookie = {"Set-Cookie": "access_token=x; HttpOnly; SameSite=lax"}
    told = wrong(_check_headers(policy | cookie, is_https=True))
    assert len(told) == 2
    assert "secure" in told[0]
    good = {"Set-Cookie": "access_token=x; HttpOnly; SameSite=lax; Secure", "Strict-Transport-Security": "max-age=1"}
    assert wrong(_check_headers(policy | good, is_https=True)) == []
    assert wrong(_check_headers(policy | cookie, is_https=False)) == []


def test_a_running_site_is_well_and_one_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    with Server(tmp_path / "data", app=API_APP, env=PLENTY) as server:
        assert wrong(examine(server.address)) == []
    assert "cannot be reached" in wrong(examine(server.address))[0]


def test_the_example_of_an_env_file_is_todays() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert example == settings_example() + "\n", "stale: run `python -m bot settings --env > .env.example`"
