"""Splits a document into passages."""

from knowledge.document import Document, Passage, PassageId


def split_document(document: Document) -> tuple[Passage, ...]:
    """The document's passages in reading order."""
    blocks = [block for block in document.text.split("\n\n") if block.strip()]
    return tuple(
        Passage(
            id=PassageId(f"{document.id}#{position}"),
            document=document.id,
            title=document.title,
            heading="",
            text=block.strip(),
            position=position,
            category=document.category,
            url=document.url,
        )
        for position, block in enumerate(blocks)
    )
