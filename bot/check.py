"""The check: shows only what the cited passages bear out. A sentence without support never reaches the customer."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.domain import Answer, Block, Outcome, Reply, cite
from bot.links import link_articles
from bot.support import SUPPORTED, support
from knowledge.document import Passage
from knowledge.sentences import split_sentences


def check_answer(answer: Answer, otherwise: Callable[[], Answer]) -> Reply:
    """The answer with citations, without what its passages do not bear; `otherwise()` when nothing it claimed is left."""
    kept: list[Block] = []
    dropped: list[str] = []
    supports: dict[int, float] = {}
    for block in answer.blocks:
        checked, lost, lowest = _check_block(block, answer.passages)
        dropped += lost
        if checked:
            kept.append(checked)
            supports |= {n: min(lowest, supports.get(n, 1.0)) for n in checked.cites}
    if answer.outcome is Outcome.ANSWERED and not supports:
        return replace(check_answer(otherwise(), otherwise), dropped=tuple(dropped))
    numbers = {old: new for new, old in enumerate(sorted(supports), start=1)}
    return Reply(
        outcome=answer.outcome,
        text="\n\n".join(_mark(block, numbers) for block in kept),
        citations=tuple(cite(numbers[n], answer.passages[n - 1], supports[n]) for n in sorted(supports)),
        choices=answer.choices,
        dropped=tuple(dropped),
    )


def _check_block(block: Block, passages: Sequence[Passage]) -> tuple[Block | None, list[str], float]:
    if not block.cites:
        return block, [], 1.0
    sources = [f"{passages[n - 1].title}\n{passages[n - 1].heading}\n{passages[n - 1].text}" for n in block.cites]
    if all(block.text in passages[n - 1].text for n in block.cites):
        return block, [], 1.0
    scored = [(sentence, support(sentence, sources)) for sentence in split_sentences(block.text)]
    lost = [sentence for sentence, score in scored if score < SUPPORTED]
    if not lost:
        return block, [], min((score for _, score in scored), default=1.0)
    kept = [(sentence, score) for sentence, score in scored if score >= SUPPORTED]
    if not kept:
        return None, lost, 0.0
    return Block(text=" ".join(s for s, _ in kept), cites=block.cites), lost, min(score for _, score in kept)


def _mark(block: Block, numbers: dict[int, int]) -> str:
    """The block with the marks of its citations; a table takes them below, where they are no cell."""
    marks = "".join(f"[{numbers[n]}]" for n in block.cites if n in numbers)
    text = link_articles(block.text)
    gap = "\n\n" if text.rpartition("\n")[2].startswith("|") else " "
    return f"{text}{gap}{marks}" if marks else text
