"""Nobody reads or writes what is another's, whoever they are and whichever way they try; every route asks who it is."""

import pytest
from fastapi.routing import APIRoute

from bot.api import chat, customers, health, knowledge, people, staff
from bot.api.access import GUARDS
from tests.api.conftest import Caller
from tests.api.hostile import Victim, attack
from tests.api.test_identity import customer_token

OPEN = {"/chat/session", "/staff/session", "/health", "/health/live", "/health/ready"}
"""The routes that anybody may call; ending a session (DELETE) is not among them."""


@pytest.mark.timeout(600)
async def test_no_attempt_to_read_or_write_anothers_conversation_succeeds(anna: Caller, eve: Caller, nobody: Caller) -> None:
    victim = await Victim.settle(anna)
    known = await Caller(anna.address, anna.http).begin(customer_token=customer_token())
    forged = Caller(anna.address, anna.http, token=anna.token[:-4] + "AAAA")
    assert await attack(victim, [eve, known, nobody, forged], 600) == 0
    assert await victim.look() == victim.before


def test_every_route_asks_who_calls_or_stands_in_the_list_of_the_open_ones() -> None:
    routes = [
        route
        for part in (chat, customers, health, knowledge, people, staff)
        for route in part.router.routes
        if isinstance(route, APIRoute)
    ]
    assert len(routes) > 25
    open_ones = set()
    for route in routes:
        guards = [dependency.call for dependency in route.dependant.dependencies if dependency.call in GUARDS]
        assert len(guards) <= 1, route.path
        if not guards:
            open_ones.add(route.path)
    assert open_ones == OPEN
    ends = next(route for route in routes if route.methods == {"DELETE"} and route.path == "/chat/session")
    assert any(dependency.call in GUARDS for dependency in ends.dependant.dependencies)
