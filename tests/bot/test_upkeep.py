"""What the settings say is kept no longer is deleted: profiles, calls of tools, tickets that are done with."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.audit import CallRecord, Ruling
from bot.domain import ConversationId, CustomerId, EntryId, Speaker
from bot.errors import LogUnavailable
from bot.profile import Known, Trait
from bot.settings import Settings
from bot.sql.audit import SqlAudit
from bot.sql.log import open_log
from bot.sql.store import open_store
from bot.sql.tickets import SqlTickets
from bot.tickets import NewTicket, Note, TicketStatus
from bot.upkeep import Job, Upkeep
from bot.wiring import build_upkeep

ANN, CHAT = CustomerId("ann"), ConversationId("chat")
NOW = datetime.now(UTC).replace(microsecond=0)


def call(days_ago: int) -> CallRecord:
    return CallRecord(
        tool="lookup_account",
        arguments="{}",
        customer=ANN,
        account=None,
        conversation=CHAT,
        seq=days_ago,
        role="customer",
        asker="routes",
        ruling=Ruling.DONE,
        at=NOW - timedelta(days=days_ago),
        took_ms=1.0,
    )


def plan(value: str, days_ago: int) -> Known:
    at = NOW - timedelta(days=days_ago)
    return Known(trait=Trait.PLAN, value=value, conversation=CHAT, entry=EntryId("e"), at=at)


async def test_what_is_older_than_the_settings_say_is_deleted_and_nothing_else(tmp_path):
    log, store = open_log(None, tmp_path), open_store(None, tmp_path)
    audit, tickets, profiles = SqlAudit(store), SqlTickets(store), log.profiles(10_000)
    settings = Settings(_env_file=None, data_dir=tmp_path, profile_days=30, tool_call_days=10, ticket_days=20)
    for days in (9, 11):
        await audit.record(call(days))
    await profiles.learn(ANN, [plan("SIM 5", 29), plan("SIM 25", 31)])
    opened = [await tickets.open(NewTicket(customer="ann", conversation=CHAT, subject="Hub", key=f"{n}")) for n in range(2)]
    note = Note(at=NOW, by=Speaker.AGENT, text="done")
    await tickets.set_status("ann", opened[0].number, TicketStatus.CLOSED, note)
    upkeep = build_upkeep(settings, store, profiles)

    await upkeep.do(NOW)
    assert [one.seq for one in await audit.calls(CHAT)] == [9]
    assert [one.value for one in await profiles.profile(ANN)] == ["SIM 5"]
    assert len(await tickets.of("ann")) == 2

    await upkeep.do(datetime.now(UTC) + timedelta(days=21))
    assert [one.number for one in await tickets.of("ann")] == [opened[1].number]  # the open one stays, however old
    assert await audit.calls(CHAT) == []
    await store.close()
    await log.close()


async def test_a_job_that_fails_does_not_keep_the_others_from_being_done_and_is_done_again():
    done: list[str] = []
    twice = asyncio.Event()

    async def fail(before: datetime) -> int:
        done.append("tried")
        raise LogUnavailable("away")

    async def expire(before: datetime) -> int:
        done.append("done")
        if len(done) >= 4:
            twice.set()
        return 1

    jobs = [Job(what="a", days=1, expire=fail), Job(what="b", days=1, expire=expire)]
    upkeep = Upkeep(jobs, every_seconds=0.0)
    upkeep.start()
    async with asyncio.timeout(60):
        await twice.wait()
    await upkeep.close()
    assert done[:4] == ["tried", "done"] * 2
