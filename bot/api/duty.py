"""Who is on, as the desk's watch sees it."""

from collections.abc import Sequence

from bot.api.seams import OnDuty
from bot.desk.leaving import dismiss
from bot.desk.room import Room
from bot.domain import AgentId
from bot.roster import State
from bot.staff import Agent


class RoomDuty:
    """A Duty on the desk's room."""

    def __init__(self, room: Room) -> None:
        self._watch, self._board, self._roster = room.watch, room.board, room.roster
        self._log, self._desk, self._staff = room.log, room.desk, room.staff

    async def on_duty(self) -> Sequence[OnDuty]:
        """Everybody who has a page open and is not away."""
        load = self._board.load()
        return [
            OnDuty(
                agent=agent.id,
                name=agent.name,
                state=self._watch.state(agent.id),
                chats=load.get(agent.id, 0),
                capacity=agent.capacity,
            )
            for agent in self._watch.agents.values()
            if not agent.disabled and self._watch.state(agent.id) is not State.AWAY
        ]

    async def set_available(self, agent: AgentId, available: bool) -> None:
        """Say so for them; without an open page they stay away."""
        await self._roster.set_state(agent, State.AVAILABLE if available else State.AWAY)

    async def dismiss(self, agent: Agent) -> int:
        """See Duty."""
        passed = await dismiss(agent, self._log, self._desk, self._staff)
        self._watch.wake()
        return passed
