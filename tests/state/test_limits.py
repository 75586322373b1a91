"""How many messages a customer may send, whichever process takes them."""

import pytest

from bot.bus_local import LocalBus
from bot.domain import CustomerId
from bot.errors import TooManyMessages
from bot.limits import MessageRate
from bot.tools.rate import SharedToolRate
from bot.valkey.bus import ServerBus
from bot.valkey.server import Server
from tests.state.servers import PATIENCE_SECONDS

ANN, BEN = CustomerId("ann@example.com"), CustomerId("ben@example.com")


async def test_the_limit_is_each_customers_own_and_begins_anew_after_a_minute():
    now = 0.0
    rate = MessageRate(3, LocalBus(clock=lambda: now))
    for _ in range(3):
        await rate.check(ANN)
    with pytest.raises(TooManyMessages):
        await rate.check(ANN)
    await rate.check(BEN)
    now = 60.0
    await rate.check(ANN)


async def test_processes_count_together_and_the_server_does_not_learn_who_the_customer_is(running, server):
    other = Server(running.url, "another process's", patience_seconds=PATIENCE_SECONDS)
    rates = [MessageRate(4, ServerBus(each)) for each in (server, other)]
    for rate in rates * 2:
        await rate.check(ANN)
    for rate in rates:
        with pytest.raises(TooManyMessages):
            await rate.check(ANN)
        await rate.check(BEN)
    with running.client() as client:
        assert not [key for key in client.scan_iter() if b"ann" in key]
    await other.close()


async def test_the_calls_of_a_tool_are_counted_over_all_processes_for_each_customer_and_tool(running, server):
    other = Server(running.url, "another process's", patience_seconds=PATIENCE_SECONDS)
    rates = [SharedToolRate(ServerBus(each)) for each in (server, other)]
    assert all([await rate.allows(ANN, "lookup_account", 4) for rate in rates * 2])
    for rate in rates:
        assert not await rate.allows(ANN, "lookup_account", 4)
        assert await rate.allows(ANN, "list_invoices", 4)
        assert await rate.allows(BEN, "lookup_account", 4)
    await other.close()


async def test_without_the_server_each_process_counts_by_itself(running, server):
    rate = MessageRate(2, ServerBus(server))
    await rate.check(ANN)
    running.hang()
    try:
        await rate.check(ANN)
        await rate.check(ANN)
        with pytest.raises(TooManyMessages):
            await rate.check(ANN)
    finally:
        running.go_on()
