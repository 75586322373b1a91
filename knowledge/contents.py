"""What a help centre is about, as a visitor may be told: the categories of its articles, and a question for each."""

from collections.abc import Iterable

from knowledge.document import Contents, Document

LONGEST_QUESTION = 90
"""Characters of a question that a visitor is offered to begin with."""
SOME = 24
"""Documents from which one may tell what all are about."""


def read_contents(documents: Iterable[Document]) -> Contents:
    """The categories with the most articles first, and from each the question that its first article is found by.

    An article that does not say how customers ask for it is asked for by its title.
    """
    by_category: dict[str, list[Document]] = {}
    all_ = list(documents)
    for document in all_:
        by_category.setdefault(" ".join(document.category.split()), []).append(document)
    shelves = sorted(by_category.items(), key=lambda shelf: (-len(shelf[1]), shelf[0]))
    asked = (next(filter(None, map(_question, shelf)), "") for _, shelf in shelves)
    return Contents(
        topics=tuple(category for category, _ in shelves if category),
        questions=tuple(question for question in asked if question),
        some=tuple(one.id for one in all_[:: -(-len(all_) // SOME)]) if all_ else (),
    )


def _question(document: Document) -> str:
    asked = [*document.questions, document.title]
    return next((one for one in asked if 0 < len(one) <= LONGEST_QUESTION), "")
