"""The desk's people, escalations and tickets, as far as the stores are there."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.api.access import AnAdmin, AnAgent, Parts
from bot.api.problems import Refused
from bot.api.seams import Duty
from bot.api.shapes import Body, Whole
from bot.domain import AgentId
from bot.staff import DEFAULT_CAPACITY, LONGEST_PASSWORD, MOST_CHATS, SHORTEST_PASSWORD, Agent, Role, Staff, new_agent
from bot.tickets import Ticket, TicketNumber, Tickets

router = APIRouter(tags=["people"])

StaffId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{1,39}$", max_length=40)]
Password = Annotated[str, StringConstraints(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class Colleague(BaseModel):
    """Somebody of the staff."""

    id: str
    name: str
    role: Role
    capacity: int
    teams: list[str]
    skills: list[str]
    disabled: bool


class Colleagues(BaseModel):
    """The staff."""

    agents: list[Colleague]


class NewColleague(Body):
    """An account to make; the name is what customers read: letters of any script, spaces, dots, apostrophes and hyphens."""

    id: StaffId
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    password: Password
    capacity: Annotated[int, Field(ge=1, le=MOST_CHATS), Whole] = DEFAULT_CAPACITY


class NewAccount(NewColleague):
    """An account with a role."""

    role: Role

    model_config = ConfigDict(strict=False)  # JSON has no words of a closed list


class OneOnDuty(BaseModel):
    """Somebody who is on."""

    agent: str
    name: str
    state: str
    chats: int
    capacity: int


class DutyNow(BaseModel):
    """Who is on now."""

    agents: list[OneOnDuty]


class Availability(Body):
    """Whether chats may be offered."""

    available: bool


class Left(BaseModel):
    """An account that is no more, and how many chats it held."""

    id: str
    passed_on: int


class TicketShown(BaseModel):
    """A ticket with its notes, oldest first."""

    number: str
    customer: str
    conversation: str
    subject: str
    category: str
    priority: str
    status: str
    opened: str
    updated: str
    notes: list[dict[str, str]]


class TicketsShown(BaseModel):
    """A customer's tickets without their notes, latest change first."""

    tickets: list[TicketShown]


class Escalations(BaseModel):
    """Times that people were needed, the latest first; ask again with `cursor` = `next`, null on the last page."""

    escalations: list[dict[str, Any]]
    next: str | None


@router.get("/agents/available")
async def available(member: AnAgent, parts: Parts) -> DutyNow:
    """Who is on at the desk."""
    on = await _duty(parts.duty).on_duty()
    return DutyNow(
        agents=[OneOnDuty(agent=o.agent, name=o.name, state=o.state, chats=o.chats, capacity=o.capacity) for o in on]
    )


@router.get("/agents")
async def agents(member: AnAdmin, parts: Parts) -> Colleagues:
    """Everybody of the staff."""
    return Colleagues(agents=[_colleague(agent) for agent in await _staff(parts.staff).agents()])


@router.post("/agents", status_code=201)
async def add_agent(new: NewColleague, member: AnAdmin, parts: Parts) -> Colleague:
    """Make an agent's account."""
    return await _add(_staff(parts.staff), new, Role.AGENT)


@router.post("/users", status_code=201)
async def add_user(new: NewAccount, member: AnAdmin, parts: Parts) -> Colleague:
    """Make an account with any role."""
    return await _add(_staff(parts.staff), new, new.role)


@router.put("/agents/{id}/availability")
async def set_availability(
    id: Annotated[str, Path(pattern=r"^[a-z][a-z0-9.-]{1,39}$", max_length=40)],
    wanted: Availability,
    member: AnAgent,
    parts: Parts,
) -> Availability:
    """Be offered chats, or not; an agent for themselves, an administrator for anybody."""
    if member.id != id and member.role is not Role.ADMIN:
        raise Refused(403, "role", "Only an administrator may do this for somebody else.")
    if await _staff(parts.staff).agent(AgentId(id)) is None:
        raise Refused(404, "unknown", "There is no such account.")
    await _duty(parts.duty).set_available(AgentId(id), wanted.available)
    return wanted


@router.delete("/agents/{id}")
async def delete_agent(
    id: Annotated[str, Path(pattern=r"^[a-z][a-z0-9.-]{1,39}$", max_length=40)], member: AnAdmin, parts: Parts
) -> Left:
    """Delete an account. Chats that it holds go to the front of the queue first; after an error ask again."""
    agent = await _staff(parts.staff).agent(AgentId(id))
    if agent is None:
        raise Refused(404, "unknown", "There is no such account.")
    if member.id == id:
        raise Refused(409, "own_account", "Nobody deletes their own account: another administrator has to.")
    return Left(id=id, passed_on=await _duty(parts.duty).dismiss(agent))


@router.get("/escalations")
async def escalations(
    member: AnAgent,
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9TZ:.+-]{10,40}$", max_length=40)] = None,
) -> Escalations:
    """When people were needed, why, and what came of it."""
    before = None
    if cursor:
        try:
            before = datetime.fromisoformat(cursor)
        except ValueError:
            raise Refused(422, "cursor", "This `cursor` was not given by this address. Begin without one.") from None
        if before.tzinfo is None:
            raise Refused(422, "cursor", "This `cursor` was not given by this address. Begin without one.")
    found = await parts.records.escalations(limit + 1, before)
    more = found[limit - 1]["triggered"] if len(found) > limit else None
    return Escalations(escalations=list(found[:limit]), next=more)


@router.get("/customers/{customer}/tickets")
async def tickets(customer: Annotated[str, Path(max_length=200)], member: AnAgent, parts: Parts) -> TicketsShown:
    """A customer's tickets."""
    found = await _tickets(parts.tickets).of(customer)
    return TicketsShown(tickets=[_ticket(ticket) for ticket in found])


@router.get("/customers/{customer}/tickets/{number}")
async def ticket(
    customer: Annotated[str, Path(max_length=200)],
    number: Annotated[str, Path(pattern=r"^T-(\d{5,9})$", max_length=12)],
    member: AnAgent,
    parts: Parts,
) -> TicketShown:
    """One ticket with its notes."""
    found = await _tickets(parts.tickets).ticket(customer, TicketNumber(number))
    if found is None:
        raise Refused(404, "unknown", "This customer has no such ticket.")
    return _ticket(found)


async def _add(staff: Staff, new: NewColleague, role: Role) -> Colleague:
    if await staff.agent(AgentId(new.id)) is not None:
        raise Refused(409, "taken", "There is an account with this id already.")
    agent = new_agent(new.id, new.name, new.password, role, new.capacity)
    await staff.add(agent)
    return _colleague(agent)


def _colleague(agent: Agent) -> Colleague:
    return Colleague(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        capacity=agent.capacity,
        teams=list(agent.teams),
        skills=list(agent.skills),
        disabled=agent.disabled,
    )


def _ticket(ticket: Ticket) -> TicketShown:
    return TicketShown(
        number=ticket.number,
        customer=ticket.customer,
        conversation=ticket.conversation,
        subject=ticket.subject,
        category=ticket.category,
        priority=ticket.priority,
        status=ticket.status,
        opened=ticket.opened.isoformat(),
        updated=ticket.updated.isoformat(),
        notes=[{"at": note.at.isoformat(), "by": note.by, "text": note.text} for note in ticket.notes],
    )


def _missing(what: str) -> Refused:
    return Refused(503, "not_there", f"{what} is not set up on this server.")


def _staff(staff: Staff | None) -> Staff:
    if staff is None:
        raise _missing("The staff's accounts")
    return staff


def _duty(duty: Duty | None) -> Duty:
    if duty is None:
        raise _missing("The desk")
    return duty


def _tickets(tickets: Tickets | None) -> Tickets:
    if tickets is None:
        raise _missing("The ticket system")
    return tickets
