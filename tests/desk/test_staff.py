"""The accounts of the staff: what they may be, how their passwords are kept, and the commands that make them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.domain import AgentId
from bot.errors import StaffInvalid
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store
from bot.staff import Role, check_name, hash_password, is_password, new_agent, new_password
from bot.staff_commands import add_demo

PASSWORD = "four words are enough"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = request.getfixturevalue("postgres_schema") if request.param == "postgresql" else None
    store = open_store(url, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def staff(store: Store) -> SqlStaff:
    return SqlStaff(store)


async def test_an_account_is_read_as_it_was_made(staff):
    zoe = replace(new_agent("zoe", "Zoë Martin", PASSWORD), teams=("billing",), skills=("refund", "outage"))
    await staff.add(zoe)
    assert await staff.agent(AgentId("zoe")) == zoe
    assert await staff.agents() == [zoe]
    assert await staff.agent(AgentId("nobody")) is None


async def test_an_id_is_given_once(staff):
    await staff.add(new_agent("zoe", "Zoe", PASSWORD))
    with pytest.raises(StaffInvalid, match="already"):
        await staff.add(new_agent("zoe", "Another", PASSWORD))
    assert [agent.name for agent in await staff.agents()] == ["Zoe"]


async def test_a_change_ends_the_visits_before_it(staff):
    zoe = new_agent("zoe", "Zoe", PASSWORD)
    await staff.add(zoe)
    await staff.change(replace(zoe, disabled=True))
    changed = await staff.agent(zoe.id)
    assert changed.disabled
    assert changed.epoch == zoe.epoch + 1


async def test_demo_agents_get_new_passwords_each_time_and_no_default_one(staff):
    first, second = await add_demo(staff), await add_demo(staff)
    assert len(await staff.agents()) == len(first) == 3
    assert not set(first) & set(second)
    id, _, password = second[0].partition(": ")
    assert is_password(await staff.agent(AgentId(id)), password)


def test_a_password_is_kept_as_an_argon2_hash_with_a_salt_of_its_own():
    hashes = {hash_password(PASSWORD), hash_password(PASSWORD)}
    assert len(hashes) == 2
    assert all(hash.startswith("$argon2id$") and PASSWORD not in hash for hash in hashes)


def test_a_password_opens_only_its_own_account_and_no_disabled_one():
    zoe = new_agent("zoe", "Zoe", PASSWORD)
    assert is_password(zoe, PASSWORD)
    assert not is_password(zoe, PASSWORD + " ")
    assert not is_password(replace(zoe, disabled=True), PASSWORD)
    assert not is_password(replace(zoe, password_hash="damaged"), PASSWORD)
    assert not is_password(None, PASSWORD)


@pytest.mark.parametrize("password", ["short", "x" * 257, ""])
def test_a_password_too_short_or_too_long_is_refused(password):
    with pytest.raises(StaffInvalid, match="12 to 256"):
        hash_password(password)


@pytest.mark.parametrize("id", ["", "Z", "zoe martin", "zoe\n", "-zoe", "z" * 41, "zoë", "<b>"])
def test_an_id_of_other_signs_is_refused(id):
    with pytest.raises(StaffInvalid, match="no id"):
        new_agent(id, "Zoe", new_password())


@pytest.mark.parametrize("name", ["", "  ", "<b>Zoe</b>", "Zoe ![x](y)", "Zoe\u202e", "x" * 61, "Zoe 2"])
def test_a_name_that_is_more_than_a_name_is_refused(name):
    with pytest.raises(StaffInvalid, match="no name"):
        check_name(name)


@pytest.mark.parametrize("name", ["Zoë Martin", "Seán O’Neill", "Anne-Marie", "Dr. Li", "李小龍", "ทิพย์"])
def test_names_of_all_languages_are_names(name):
    assert check_name(name) == name


def test_the_command_makes_the_first_admin_and_says_the_password_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["bot", "staff", "add", "ada", "Ada", "--role", "admin"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("ada: ")
    monkeypatch.setattr("sys.argv", ["bot", "staff", "list"])
    with pytest.raises(SystemExit):
        main()
    listed = capsys.readouterr().out
    assert Role.ADMIN in listed
    assert said.split()[1] not in listed


def test_a_command_for_nobody_fails_with_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["bot", "staff", "disable", "nobody"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "there is no account 'nobody'\n"
