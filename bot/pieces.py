"""Cuts a stream of text into pieces that can be checked and shown: whole sentences, list items and headings."""

import re
from dataclasses import dataclass

from knowledge.sentences import split_sentences

_ONLY_MARKS = re.compile(r"(?:\[\d+\]\s*)+")
_MARKS_OPENING = re.compile(r"[\s\[\]\d]*")
_OPENS_LIST = re.compile(r"(?:[-*+]|\d+[.)])\s")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, list item or heading; `end` is the white space that followed it."""

    text: str
    end: str


class Pieces:
    """Takes text as it is streamed, gives each piece once it is whole; `rest` gives what is left when the stream has ended.

    A citation mark that follows a full stop belongs to the sentence before it, so a sentence is whole only when the next one
    or a line's end has begun.
    """

    def __init__(self) -> None:
        self._open = ""

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` completes."""
        *lines, self._open = (self._open + text).split("\n")
        whole = [piece for line in lines for piece in _whole_line(line)]
        *done, _ = _spans(self._open) or [(0, 0)]
        if done and not _MARKS_OPENING.fullmatch(self._open[done[-1][1] :]):
            whole += [Piece(self._open[start:end], " ") for start, end in done]
            self._open = self._open[done[-1][1] :]
        return whole

    def rest(self) -> list[Piece]:
        """The pieces of what is left."""
        left, self._open = self._open, ""
        return _whole_line(left) if left.strip() else []


def _whole_line(line: str) -> list[Piece]:
    texts = [line[start:end] for start, end in _spans(line)] or [""]
    return [Piece(text, " ") for text in texts[:-1]] + [Piece(texts[-1], "\n")]


def _spans(line: str) -> list[tuple[int, int]]:
    """Where the line's sentences begin and end, each with the marks that follow it; a list item is one piece."""
    if _OPENS_LIST.match(line.lstrip()):
        return [(len(line) - len(line.lstrip()), len(line.rstrip()))]
    spans: list[tuple[int, int]] = []
    end = 0
    for sentence in split_sentences(line):
        start = line.index(sentence, end)
        end = start + len(sentence)
        if spans and (marks := _ONLY_MARKS.match(sentence)):
            spans[-1] = (spans[-1][0], start + len(marks[0].rstrip()))
            start += marks.end()
        if start < end:
            spans.append((start, end))
    return spans
