"""What is being written now: ephemeral, for the pages that are looking; the log gets only the finished reply."""

from collections import defaultdict
from collections.abc import Callable

from bot.domain import ConversationId

Listener = Callable[[int, str], None]
"""Given the sequence number of the message that is being answered and the whole text shown so far."""
TypingListener = Callable[[str], None]
"""Given the name of the person who is typing now; who stops says nothing more."""


class Live:
    """Tells whoever watches a conversation what its reply looks like so far; in this process only."""

    def __init__(self) -> None:
        self._listeners: defaultdict[ConversationId, set[Listener]] = defaultdict(set)
        self._now: dict[ConversationId, tuple[int, str]] = {}
        self._typing: defaultdict[ConversationId, set[TypingListener]] = defaultdict(set)

    def __len__(self) -> int:
        """Conversations that are watched or written in."""
        return len(self._listeners.keys() | self._now.keys())

    def watch(self, conversation: ConversationId, listener: Listener) -> Callable[[], None]:
        """Call `listener` with what is shown already, and from now on at every change; the returned function ends it."""
        self._listeners[conversation].add(listener)
        if now := self._now.get(conversation):
            listener(*now)

        def stop() -> None:
            listeners = self._listeners.get(conversation, set())
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(conversation, None)

        return stop

    def show(self, conversation: ConversationId, answers: int, text: str) -> None:
        """The reply to message `answers` reads so now."""
        self._now[conversation] = answers, text
        for listener in tuple(self._listeners.get(conversation, ())):
            listener(answers, text)

    def end(self, conversation: ConversationId) -> None:
        """Nothing is being written any more: the log has the reply, or a notice in its place."""
        self._now.pop(conversation, None)

    def watch_typing(self, conversation: ConversationId, listener: TypingListener) -> Callable[[], None]:
        """Call `listener` whenever a person types a message; the returned function ends it."""
        self._typing[conversation].add(listener)

        def stop() -> None:
            listeners = self._typing.get(conversation, set())
            listeners.discard(listener)
            if not listeners:
                self._typing.pop(conversation, None)

        return stop

    def show_typing(self, conversation: ConversationId, name: str) -> None:
        """Somebody of the staff types a message to the customer."""
        for listener in tuple(self._typing.get(conversation, ())):
            listener(name)
