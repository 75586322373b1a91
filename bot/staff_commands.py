"""`python -m bot staff`: the first admin, further accounts, new passwords. No account has a default password."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence
from dataclasses import replace

from bot.domain import AgentId
from bot.errors import FrontdeskError, StaffInvalid
from bot.settings import read_settings
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import DEFAULT_CAPACITY, Agent, Role, Staff, check_labels, check_name, hash_password, new_agent, new_password

DEMO = (
    ("zoe", "Zoe Martin", ("billing", "sales"), 4),
    ("max", "Max Weber", ("technical",), 4),
    ("ines", "Inés Duarte", (), 6),
)
"""The demo's agents: id, name, teams, chats at a time."""


def add_staff_commands(parser: argparse.ArgumentParser) -> None:
    """The commands of `python -m bot staff`."""
    commands = parser.add_subparsers(dest="staff_command", required=True)
    add = commands.add_parser("add", help="a new account; prints its password, unless --ask")
    add.add_argument("id", help="what they sign in with, such as `zoe`")
    add.add_argument("name", help="what customers read, such as `Zoe Martin`")
    add.add_argument("--role", type=Role, choices=list(Role), default=Role.AGENT, help="default: agent")
    add.add_argument("--team", action="append", default=[], metavar="TEAM", help="may be repeated")
    add.add_argument("--skill", action="append", default=[], metavar="INTENT", help="may be repeated")
    add.add_argument("--capacity", type=int, default=DEFAULT_CAPACITY, help=f"chats at a time, default {DEFAULT_CAPACITY}")
    commands.add_parser("list", help="every account")
    password = commands.add_parser("password", help="a new password; ends every visit under the old one")
    disable = commands.add_parser("disable", help="close an account; ends its visits")
    for command in (password, disable):
        command.add_argument("id")
    for command in (add, password):
        command.add_argument("--ask", action="store_true", help="type the password instead of having one made")
    commands.add_parser("demo", help="three demo agents with new passwords, which are printed")


def run_staff_command(arguments: argparse.Namespace) -> int:
    """Run it; the exit code."""
    try:
        asyncio.run(_run(arguments))
    except FrontdeskError as problem:
        print(problem, file=sys.stderr)  # noqa: T201  for the person who typed it
        return 1
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    settings = read_settings()
    store = await asyncio.to_thread(open_store, settings.database_url, settings.data_dir)
    try:
        for line in await _commanded(SqlStaff(store), arguments):
            print(line)  # noqa: T201  the command's output
    finally:
        await store.close()


async def _commanded(staff: Staff, arguments: argparse.Namespace) -> Sequence[str]:
    command = arguments.staff_command
    if command == "list":
        return [show_account(agent) for agent in await staff.agents()] or ["There is no account yet."]
    if command == "demo":
        return await add_demo(staff)
    if command == "add":
        return await add_account(staff, arguments)
    known = await staff.agent(AgentId(arguments.id))
    if known is None:
        raise StaffInvalid(f"there is no account {arguments.id!r}")
    if command == "disable":
        await staff.change(replace(known, disabled=True))
        return [f"{known.id} is disabled."]
    password = choose_password(ask=arguments.ask)
    await staff.change(replace(known, password_hash=hash_password(password), disabled=False))
    return [told(known.id, password, ask=arguments.ask)]


async def add_account(staff: Staff, arguments: argparse.Namespace) -> Sequence[str]:
    """The new account, and its password if it was made here. Raises StaffInvalid."""
    password = choose_password(ask=arguments.ask)
    agent = new_agent(arguments.id, arguments.name, password, arguments.role, arguments.capacity)
    await staff.add(replace(agent, teams=check_labels(arguments.team), skills=check_labels(arguments.skill)))
    return [told(agent.id, password, ask=arguments.ask)]


async def add_demo(staff: Staff) -> Sequence[str]:
    """The demo's agents, each with a password of its own; those who are there get a new one."""
    lines = []
    for id, name, teams, capacity in DEMO:
        password = new_password()
        agent = replace(new_agent(id, check_name(name), password, capacity=capacity), teams=teams)
        await (staff.change(agent) if await staff.agent(agent.id) else staff.add(agent))
        lines.append(told(agent.id, password, ask=False))
    return lines


def choose_password(*, ask: bool) -> str:
    """A password that was typed twice alike, or a new one. Raises StaffInvalid."""
    if not ask:
        return new_password()
    typed = getpass.getpass("Password: ")
    if typed != getpass.getpass("Again: "):
        raise StaffInvalid("the two passwords differ")
    return typed


def told(id: AgentId, password: str, *, ask: bool) -> str:
    """What the command prints of a password: only one that was made here."""
    return f"{id}: the password is set." if ask else f"{id}: {password}"


def show_account(agent: Agent) -> str:
    """One line of the list."""
    teams, skills = ",".join(agent.teams) or "every team", ",".join(agent.skills) or "every intent"
    state = "  disabled" if agent.disabled else ""
    return f"{agent.id:<16} {agent.name:<24} {agent.role:<9} {agent.capacity:>2} chats  {teams}  {skills}{state}"
