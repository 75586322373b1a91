"""What Word's styles and numbering say about a paragraph: a heading of a level, an item of a list."""

import re
from dataclasses import dataclass, field

from docx.document import Document as WordFile
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

HEADING = re.compile(r"heading ?(\d)|title", re.IGNORECASE)
LIST_STYLE = re.compile(r"list ?(bullet|number) ?(\d)?", re.IGNORECASE)
BULLETS = frozenset({"bullet", "none"})
DEEPEST = 20


@dataclass(slots=True)
class Styles:
    """The styles of a file by id, the formats of its numberings, and the numbers counted so far."""

    by_id: dict[str, BaseOxmlElement]
    formats: dict[tuple[str, str], str]
    counted: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, word: WordFile) -> "Styles":
        """The styles and numberings of a file."""
        by_id = {style.get(qn("w:styleId"), ""): style for style in word.styles.element.findall(qn("w:style"))}
        return cls(by_id=by_id, formats=_formats(word))

    def chain(self, paragraph: BaseOxmlElement) -> list[BaseOxmlElement]:
        """The paragraph's own properties, then those of its style and the styles it is based on."""
        own = paragraph.find(qn("w:pPr"))
        chain = [own] if own is not None else []
        name = _value(own, "w:pStyle") if own is not None else None
        while name in self.by_id and len(chain) < DEEPEST:
            chain.append(self.by_id[name])
            name = _value(self.by_id[name], "w:basedOn")
        return chain

    def marker(self, paragraph: BaseOxmlElement) -> tuple[str, str] | None:
        """The indentation and marker of a list item, None for other paragraphs; numbers count as Word's do."""
        for properties in self.chain(paragraph):
            numbered = next(properties.iter(qn("w:numPr")), None)
            named = LIST_STYLE.match(_value(properties, "w:name") or "")
            depth = int(named[2] or 1) - 1 if named else 0
            if numbered is not None:
                listed, level = _value(numbered, "w:numId") or "0", int(_value(numbered, "w:ilvl") or 0)
                return None if listed == "0" else self._item(listed, level, max(level, depth))
            if named:
                return self._item("bullet" if named[1].lower() == "bullet" else "number", 0, depth)
        return None

    def _item(self, listed: str, level: int, depth: int) -> tuple[str, str]:
        shape = self.formats.get((listed, str(level)), "decimal" if listed == "number" else "bullet")
        number = self.counted.get((listed, level), 0) + 1
        self.counted[listed, level] = number
        for deeper in range(level + 1, 9):
            self.counted.pop((listed, deeper), None)
        return "    " * depth, "- " if shape in BULLETS else f"{number}. "


def heading_level(paragraph: BaseOxmlElement, styles: Styles) -> int:
    """The level of a heading, 1 for a title, 0 for other paragraphs; by style, in whatever language its name is."""
    for properties in styles.chain(paragraph):
        outline = next(properties.iter(qn("w:outlineLvl")), None)
        if outline is not None:
            level = int(outline.get(qn("w:val"), "9"))
            return level + 1 if level < 6 else 0
        named = HEADING.fullmatch(_value(properties, "w:name") or "")
        if named:
            return min(int(named[1] or 1), 6)
    return 0


def _formats(word: WordFile) -> dict[tuple[str, str], str]:
    """The number format by list and level."""
    try:
        numbering = word.part.numbering_part.element
    except (NotImplementedError, KeyError):  # what python-docx raises where there is none
        return {}
    abstract = {
        (definition.get(qn("w:abstractNumId")), level.get(qn("w:ilvl"))): _value(level, "w:numFmt") or "decimal"
        for definition in numbering.findall(qn("w:abstractNum"))
        for level in definition.findall(qn("w:lvl"))
    }
    return {
        (number.get(qn("w:numId"), ""), str(level)): shape
        for number in numbering.findall(qn("w:num"))
        for (definition, level), shape in abstract.items()
        if definition == _value(number, "w:abstractNumId")
    }


def _value(element: BaseOxmlElement, name: str) -> str | None:
    found = element.find(qn(name))
    return None if found is None else found.get(qn("w:val"))
