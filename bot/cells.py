"""Cells: values kept for a while under a name, by a server that processes share or in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

KEPT = 20_000
"""Cells of one process; the one unused longest goes first."""


class Cells(Protocol):
    """What keeps sealed values. Any method raises StoreUnavailable when the store cannot be used now."""

    async def get(self, name: str) -> bytes | None:
        """The value under this name, or None when there is none or its time is over."""
        ...

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep the value for so many seconds from now."""
        ...

    async def drop(self, name: str) -> None:
        """Keep it no longer."""
        ...

    async def scrub(self) -> None:
        """Take what was dropped or replaced out of our own files too; those of a server that is not ours are its owner's."""
        ...


class LocalCells:
    """Cells of this process, gone with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def get(self, name: str) -> bytes | None:
        """See Cells."""
        value, until = self._kept.get(name, (b"", 0.0))
        if until <= self._clock():
            self._kept.pop(name, None)
            return None
        self._kept.move_to_end(name)
        return value

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """See Cells."""
        self._kept[name] = value, self._clock() + seconds
        self._kept.move_to_end(name)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    async def drop(self, name: str) -> None:
        """See Cells."""
        self._kept.pop(name, None)

    async def scrub(self) -> None:
        """See Cells. It has no files."""
