"""Progress bars for the stages of an ingestion, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bars() -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Opens a bar for each stage it is told of, and closes them all at the end."""
    opened: list[tqdm] = []

    def stage(name: str, total: int) -> Callable[[int], None]:
        bar = tqdm(total=total, desc=name, disable=None, unit="")
        opened.append(bar)

        def advance(done: int) -> None:
            bar.update(done)

        return advance

    try:
        yield stage
    finally:
        for bar in opened:
            bar.close()
