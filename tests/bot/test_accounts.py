"""What every book of accounts promises: the fake, SQLite and PostgreSQL."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.accounts import Account, Accounts, Bill, Spent
from bot.accounts_memory import MemoryAccounts
from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker, Usage
from bot.errors import LogUnavailable
from bot.sql.log import SqlLog, open_log

ANN, BEN = CustomerId("ann"), CustomerId("ben")
TODAY, TOMORROW = date(2026, 3, 28), date(2026, 3, 29)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def accounts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Accounts]:
    if request.param == "memory":
        yield MemoryAccounts()
        return
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_schema")
    log = open_log(url, tmp_path)
    yield log.accounts
    await log.close()


def usage(prompt: int | None = 100, completion: int | None = 20, cost: float | None = 0.5) -> Usage:
    return Usage(
        provider="openai", model="m", prompt_tokens=prompt, completion_tokens=completion, estimated=False, cost=cost
    )


def bill(*used: Usage, customer: CustomerId = ANN, day: date = TODAY, reserved: int = 0) -> Bill:
    account = Account(customer=customer, conversation=ConversationId("chat"), seq=1)
    return Bill(account=account, day=day, usage=used, reserved=reserved)


async def test_a_customer_who_took_nothing_has_spent_nothing(accounts: Accounts) -> None:
    assert await accounts.spent(ANN, TODAY) == Spent(tokens=0, cost=0.0, unpriced=0)


async def test_what_turns_took_is_summed_by_customer_and_day(accounts: Accounts) -> None:
    for each in (bill(usage()), bill(usage(), usage(1, 2, 0.25)), bill(usage(), day=TOMORROW), bill(customer=BEN)):
        await accounts.record(each)
    assert await accounts.spent(ANN, TODAY) == Spent(tokens=243, cost=1.25, unpriced=0)
    assert await accounts.spent(ANN, TOMORROW) == Spent(tokens=120, cost=0.5, unpriced=0)
    assert await accounts.spent(BEN, TODAY) == Spent()


async def test_a_price_nobody_knows_is_counted_and_never_taken_for_nothing(accounts: Accounts) -> None:
    await accounts.record(bill(usage(cost=None), usage(None, None, None), usage()))
    assert await accounts.spent(ANN, TODAY) == Spent(tokens=240, cost=0.5, unpriced=2)


async def test_a_reservation_counts_until_the_bill_comes_and_then_the_bill_does(accounts: Accounts) -> None:
    assert await accounts.reserve(ANN, TODAY, 900, 1000)
    assert (await accounts.spent(ANN, TODAY)).tokens == 900
    assert not await accounts.reserve(ANN, TODAY, 101, 1000)
    await accounts.record(bill(usage(), reserved=900))
    assert (await accounts.spent(ANN, TODAY)).tokens == 120
    assert await accounts.reserve(ANN, TODAY, 880, 1000)


async def test_the_limit_is_each_customers_and_each_days_own(accounts: Accounts) -> None:
    assert await accounts.reserve(ANN, TODAY, 1000, 1000)
    assert not await accounts.reserve(ANN, TODAY, 1, 1000)
    assert await accounts.reserve(ANN, TOMORROW, 1000, 1000)
    assert await accounts.reserve(BEN, TODAY, 1000, 1000)


async def test_fifteen_reservations_at_once_never_overspend(accounts: Accounts) -> None:
    made = await asyncio.gather(*(accounts.reserve(ANN, TODAY, 300, 1000) for _ in range(15)))
    assert made.count(True) == 3
    assert (await accounts.spent(ANN, TODAY)).tokens == 900


async def test_bills_and_reservations_of_many_at_once_add_up(accounts: Accounts) -> None:
    people = [CustomerId(f"customer-{n % 7}") for n in range(70)]
    await asyncio.gather(*(accounts.reserve(one, TODAY, 200, 10**9) for one in people))
    await asyncio.gather(*(accounts.record(bill(usage(), customer=one, reserved=200)) for one in people))
    assert [(await accounts.spent(one, TODAY)).tokens for one in people[:7]] == [1200] * 7


def _reserve_in_a_process(url: str | None, folder: Path, made: "multiprocessing.Queue[int]") -> None:
    async def reserve() -> int:
        log = open_log(url, folder)
        granted = await asyncio.gather(*(log.accounts.reserve(ANN, TODAY, 300, 1000) for _ in range(15)))
        await log.close()
        return granted.count(True)

    made.put(asyncio.run(reserve()))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_two_processes_together_never_overspend(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = None if kind == "sqlite" else request.getfixturevalue("postgres_schema")
    spawn = multiprocessing.get_context("spawn")
    made = spawn.Queue()
    processes = [spawn.Process(target=_reserve_in_a_process, args=(url, tmp_path, made)) for _ in range(2)]
    for process in processes:
        process.start()
    granted = [made.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(granted) == 3


async def test_each_call_is_a_row_with_its_turn_provider_model_customer_and_day(tmp_path: Path) -> None:
    log = open_log(None, tmp_path)
    await log.accounts.record(bill(usage(), usage(1, 2, None)))
    with log._database.read() as connection:
        rows = connection.exec_driver_sql(
            'SELECT customer, conversation, seq, day, provider, model, prompt_tokens, cost FROM "usage" ORDER BY id'
        ).all()
    assert rows == [
        ("ann", "chat", 1, "2026-03-28", "openai", "m", 100, 0.5),
        ("ann", "chat", 1, "2026-03-28", "openai", "m", 1, None),
    ]
    await log.close()


async def test_each_row_says_how_long_its_call_took(tmp_path: Path) -> None:
    log = open_log(None, tmp_path)
    await log.accounts.record(bill(replace(usage(), first_token_ms=310.5, took_ms=902.0), usage()))
    with log._database.read() as connection:
        rows = connection.exec_driver_sql('SELECT first_token_ms, took_ms FROM "usage" ORDER BY id').all()
    assert rows == [(310.5, 902.0), (None, None)]
    await log.close()


async def test_bills_go_into_the_transaction_of_what_is_said(tmp_path: Path) -> None:
    log: SqlLog = open_log(None, tmp_path)
    chat = ConversationId("chat")
    await log.open(chat, ANN)
    said = Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="hello")
    entry, granted, _ = await asyncio.gather(
        log.append(said), log.accounts.reserve(ANN, TODAY, 5, 10), log.accounts.record(bill(usage()))
    )
    assert (entry.seq, granted) == (1, True)
    assert (await log.accounts.spent(ANN, TODAY)).tokens == 125
    await log.close()
    with pytest.raises(LogUnavailable):
        await log.accounts.record(bill(usage()))
