"""What every bus promises: within a process, over Valkey, and over Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from bot.bus import Bus, Wake, hold
from bot.bus_local import LocalBus
from bot.domain import ConversationId
from bot.valkey.bus import ServerBus
from bot.valkey.server import Server
from tests.state.servers import PATIENCE_SECONDS, RealServer, until, until_well

CHAT, OTHER = ConversationId("chat"), ConversationId("other")


@pytest.fixture(params=["local", "valkey", "redis"])
async def buses(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Bus]]:
    """Makes buses that see each other, as other processes would have them; the local one is always the same."""
    made: list[Bus] = []
    links: list[Server] = []
    if request.param == "local":
        local = LocalBus()
        made.append(local)
        yield lambda: local
    else:
        running: RealServer = request.getfixturevalue(request.param)
        running.flush()

        def make() -> Bus:
            links.append(Server(running.url, "the test's server", patience_seconds=PATIENCE_SECONDS))
            made.append(ServerBus(links[-1]))
            return made[-1]

        yield make
    for bus in made:
        await bus.close()
    for link in links:
        await link.close()


async def test_one_at_a_time_holds_a_conversation(buses):
    mine, theirs = buses(), buses()
    lease = await mine.acquire(CHAT)
    assert lease
    assert await theirs.acquire(CHAT) is None
    assert await mine.acquire(CHAT) is None
    assert await theirs.acquire(OTHER)
    await mine.release(lease)
    assert await theirs.acquire(CHAT)


async def test_a_later_lease_has_a_higher_token(buses):
    tokens = []
    for bus in [buses(), buses(), buses()] * 5:
        lease = await bus.acquire(CHAT)
        tokens.append(lease.token)
        await bus.release(lease)
    assert tokens == sorted(set(tokens))


async def test_a_lease_ends_by_itself_and_then_it_neither_renews_nor_releases_the_next(buses):
    mine, theirs = buses(), buses()
    lost = await mine.acquire(CHAT, 0.05)
    async with asyncio.timeout(60), hold(theirs, CHAT):
        assert not await mine.renew(lost)
        await mine.release(lost)
        assert await mine.acquire(CHAT) is None


async def test_a_lease_that_was_never_given_back_is_no_obstacle_once_its_time_is_over(buses):
    bus = buses()
    assert await bus.acquire(CHAT, 0.05)
    async with asyncio.timeout(60), hold(bus, CHAT):
        assert await bus.acquire(CHAT) is None


async def test_a_lease_whose_return_the_server_never_heard_of_is_no_obstacle_to_the_process_that_gave_it_back():
    with RealServer("valkey") as running:
        servers = [Server(running.url, "Redis", patience_seconds=PATIENCE_SECONDS) for _ in range(2)]
        mine, theirs = map(ServerBus, servers)
        given_back = await mine.acquire(CHAT, 600)
        running.kill()
        await mine.release(given_back)
        alone = await mine.acquire(CHAT, 600)
        assert not alone.is_shared
        await mine.release(alone)
        running.start()
        for server in servers:
            await until_well(server)
        assert await theirs.acquire(CHAT) is None
        lease = await mine.acquire(CHAT)
        assert lease.is_shared
        assert lease.token > given_back.token
        for server in servers:
            await server.close()


async def test_a_renewed_lease_outlives_its_first_time(buses):
    bus = buses()
    lease = await bus.acquire(CHAT, 3.0)
    assert await bus.renew(lease, 60)
    await asyncio.sleep(3.1)  # past the first time: the lease must be the renewed one
    assert await bus.acquire(CHAT) is None


async def test_who_waits_gets_the_conversation_once_it_is_free_and_never_two_at_once(buses):
    inside, most, done = 0, 0, []

    async def work(bus, name):
        nonlocal inside, most
        async with hold(bus, CHAT):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            done.append(name)

    shared = [buses() for _ in range(3)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(work(shared[number % 3], number) for number in range(30)))
    assert most == 1
    assert sorted(done) == list(range(30))


async def test_a_held_conversation_is_renewed_as_long_as_the_work_takes(buses):
    mine, theirs = buses(), buses()
    async with hold(mine, CHAT, seconds=4.5):
        await asyncio.sleep(5)  # longer than the lease: without renewal it would be free
        assert await theirs.acquire(CHAT) is None
    assert await theirs.acquire(CHAT)


async def test_a_conversation_is_free_again_after_work_that_failed(buses):
    bus = buses()
    with pytest.raises(ZeroDivisionError):
        async with hold(bus, CHAT):
            raise ZeroDivisionError
    assert await bus.acquire(CHAT)


async def test_who_appears_is_seen_by_all_until_they_leave_or_their_time_is_over(buses):
    mine, theirs = buses(), buses()
    await mine.appear("desk", "ann", 60)
    await theirs.appear("desk", "ben", 60)
    await mine.appear("elsewhere", "eve", 60)
    await mine.appear("desk", "late", 0.02)
    assert {"ann", "ben"} <= set(await theirs.present("desk"))

    async def late_is_gone():
        return await theirs.present("desk") == ["ann", "ben"]

    await until(late_is_gone)
    await theirs.leave("desk", "ann")
    assert await mine.present("desk") == ["ben"]
    await mine.leave("desk", "nobody")


async def test_to_appear_for_a_short_while_does_not_shorten_others_time(buses):
    bus = buses()
    await bus.appear("desk", "ann", 60)
    await bus.appear("desk", "ben", 0.02)

    async def ben_is_gone():
        return "ben" not in await bus.present("desk")

    await until(ben_is_gone)
    assert await bus.present("desk") == ["ann"]


async def test_counts_are_shared_and_begin_again_after_their_window(buses):
    mine, theirs = buses(), buses()
    assert [await mine.count("ann", 60), await theirs.count("ann", 60), await mine.count("ann", 60)] == [1, 2, 3]
    assert await theirs.count("ben", 60) == 1
    await mine.count("short", 0.001)

    async def begins_again():
        return await mine.count("short", 0.001) == 1

    await until(begins_again)


async def test_a_hundred_counts_at_once_are_a_hundred(buses):
    mine, theirs = buses(), buses()
    counted = await asyncio.gather(*((mine, theirs)[number % 2].count("ann", 60) for number in range(100)))
    assert sorted(counted) == list(range(1, 101))


async def test_a_wake_up_reaches_every_listener_of_every_process_once(buses):
    mine, theirs = buses(), buses()
    async with asyncio.timeout(60), aclosing(mine.listen()) as here, aclosing(theirs.listen()) as there:
        hearing = [asyncio.create_task(_heard(here)), asyncio.create_task(_heard(there))]
        await _deaf_no_more(mine, theirs, hearing)
        await mine.wake(CHAT, 7)
        await theirs.wake(OTHER, 9)
        for heard in await asyncio.gather(*hearing):
            assert sorted(heard) == [("chat", 7), ("other", 9)]


async def test_who_types_is_told_to_other_processes(buses):
    mine, theirs = buses(), buses()
    async with asyncio.timeout(60), aclosing(theirs.listen()) as there:
        hearing = asyncio.create_task(_typing(there))
        await _deaf_no_more(mine, theirs, [hearing])
        await mine.wake(CHAT, 0, typing="Zoë “Z”")
        assert await hearing == "Zoë “Z”"


async def _typing(wakes) -> str:
    async for wake in wakes:
        if wake.typing:
            return wake.typing
    return ""


async def _heard(wakes) -> list[tuple[str, int]]:
    """The two wake-ups of the test, without those that only say that one listens now, or that were sent to find that out."""
    heard = []
    async for wake in wakes:
        if wake.conversation in (CHAT, OTHER):
            heard.append((wake.conversation, wake.seq))
        if len(heard) == 2:
            return heard
    return heard


async def _deaf_no_more(mine, theirs, hearing) -> None:
    """Until both processes hear each other: wake-ups from before are lost, and that is allowed."""
    for bus in (mine, theirs):
        seen = asyncio.Event()

        async def look(bus=bus, seen=seen):
            async for wake in bus.listen():
                if wake == Wake(conversation=ConversationId("try"), seq=id(bus) % 1000):
                    seen.set()
                    return

        looking = asyncio.create_task(look())
        other = theirs if bus is mine else mine
        while not seen.is_set():
            await other.wake(ConversationId("try"), id(bus) % 1000)
            await asyncio.sleep(0.01)
        await looking


async def test_closing_ends_every_listening():
    bus = LocalBus()
    listening = asyncio.create_task(_heard(bus.listen()))
    await asyncio.sleep(0)
    await bus.close()
    assert await listening == []


async def test_a_slow_listener_is_told_to_look_at_everything_instead_of_filling_the_memory():
    bus = LocalBus()
    async with aclosing(bus.listen()) as wakes:
        first = asyncio.create_task(anext(wakes))
        await asyncio.sleep(0)
        for seq in range(1, 3000):
            await bus.wake(CHAT, seq)
        heard = [await first]
        while heard[-1].seq != 2999:
            heard.append(await anext(wakes))
        assert Wake(conversation=None) in heard
        assert len(heard) <= 1001
