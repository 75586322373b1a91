"""What a help centre is about, as a visitor may be told: the categories of its articles, and a question for each."""

from collections.abc import Iterable, Sequence

from knowledge.document import Contents, Document

LONGEST_QUESTION = 90
"""Characters of a question that a visitor is offered to begin with."""
SOME = 64
"""Documents from which one may tell what all are about."""


def read_contents(documents: Iterable[Document]) -> Contents:
    """The categories with the most articles first, and from each a question: one that an article says customers ask.

    Where none does, it is a title that is a question itself, else the first title. What has no category comes last.
    """
    by_category: dict[str, list[Document]] = {}
    all_ = list(documents)
    for document in all_:
        by_category.setdefault(" ".join(document.category.split()), []).append(document)
    shelves = sorted(by_category.items(), key=lambda shelf: (not shelf[0], -len(shelf[1]), shelf[0]))
    return Contents(
        topics=tuple(category for category, _ in shelves if category),
        questions=tuple(filter(None, (_question(shelf) for _, shelf in shelves))),
        some=tuple(one.id for one in all_[:: -(-len(all_) // SOME)]) if all_ else (),
    )


def _question(shelf: Sequence[Document]) -> str:
    titles = [document.title for document in shelf]
    asked = [question for document in shelf for question in document.questions]
    wanted = [*asked, *(title for title in titles if title.endswith("?")), *titles]
    return next((one for one in wanted if 0 < len(one) <= LONGEST_QUESTION), "")
