"""Makes streamed text fit to be shown: whole characters, no control characters, no thinking aloud."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOT_TEXT = re.compile("[\ud800-\udfff\ufffd]")
_HIGH_SURROGATE = re.compile("[\ud800-\udbff]$")
_OPENS, _CLOSES = "<think>", "</think>"


class Visible:
    """Takes the pieces of one stream in order, wherever they were cut.

    Some servers of open models (Ollama, vLLM without a reasoning parser) put the model's thinking in front of the answer,
    between `<think>` and `</think>`.
    """

    def __init__(self) -> None:
        self._half = ""
        self._held = ""
        self._place = "start"

    def take(self, piece: str) -> str:
        """What may be shown now; the rest is held back. Raises UnicodeError on what is no Unicode text."""
        piece = _CONTROL.sub("", self._whole(piece))
        return piece if self._place == "answer" else self._without_thinking(piece)

    def end(self) -> str:
        """What was held back for nothing. Raises UnicodeError on half a character."""
        if self._half:
            raise UnicodeError("the text ends in half a character")
        return self._held if self._place == "start" else ""

    def _whole(self, piece: str) -> str:
        """The piece with surrogate pairs joined, also over the seam of two pieces."""
        piece, self._half = self._half + piece, ""
        if _HIGH_SURROGATE.search(piece):
            piece, self._half = piece[:-1], piece[-1]
        if _NOT_TEXT.search(piece):
            piece = piece.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            if "\ufffd" in piece:
                raise UnicodeError("the text is not valid UTF-8")
        return piece

    def _without_thinking(self, piece: str) -> str:
        self._held += piece
        if self._place == "start":
            begin = self._held.lstrip()
            if begin.startswith(_OPENS):
                self._place = "thinking"
            elif not _OPENS.startswith(begin):
                self._place = "answer"
        if self._place == "thinking" and _CLOSES in self._held:
            self._place, self._held = "answer", self._held.partition(_CLOSES)[2].lstrip()
        elif self._place == "thinking":
            self._held = _OPENS + self._held[len(_OPENS) :][-len(_CLOSES) :]
        shown, self._held = (self._held, "") if self._place == "answer" else ("", self._held)
        return shown
