"""Server-sent events out of bytes as they come: what servers that call themselves OpenAI-compatible really send.

One JSON document an event. Read are: any line ends, `data:` with or without a space, comments, keep-alives without data,
events without a blank line between them, one document over several `data:` lines, `error:` as a field or an event's name,
and an answer that is no stream at all but one JSON document. Bytes may be cut anywhere, also within a character.
"""

import json
from collections.abc import Iterator
from typing import Any

_DONE = "[DONE]"
_BOM = b"\xef\xbb\xbf"


class Events:
    """Takes the bytes of one answer in order; `done` says that it was told to be complete."""

    def __init__(self) -> None:
        self.done = False
        self._open = b""
        self._begun = False
        self._whole: list[bytes] | None = None
        self._pending = ""
        self._named = ""

    def feed(self, data: bytes) -> Iterator[Any]:
        """The documents that these bytes complete. Raises ValueError on what is no JSON or UTF-8, after those before it."""
        if not self._begun:
            data = self._begin(data)
        if self._whole is not None:
            self._whole.append(data)
            return
        *lines, self._open = (self._open + data).splitlines(keepends=True) or [b""]
        if self._open.endswith(b"\n"):
            lines.append(self._open)
            self._open = b""
        for line in lines:
            yield from self._read_line(line.rstrip(b"\r\n"))
            if self.done:
                return

    def end(self) -> Iterator[Any]:
        """What the end of the answer completes."""
        if self._whole is not None:
            self.done = True
            yield json.loads(b"".join(self._whole).decode())
            return
        line, self._open = self._open.rstrip(b"\r"), b""
        yield from self._read_line(line)
        yield from self._read_line(b"")

    def _begin(self, data: bytes) -> bytes:
        """The answer's first bytes that say something; where they open a JSON document, it is no stream."""
        data, self._open = self._open + data, b""
        if _BOM.startswith(data):
            self._open = data
            return b""
        data = data.removeprefix(_BOM).lstrip()
        if data:
            self._begun = True
            self._whole = [] if data.startswith((b"{", b"[")) else None
        return data

    def _read_line(self, line: bytes) -> Iterator[Any]:
        name, _, value = line.partition(b":")
        text = value.decode().strip() if name in (b"data", b"error", b"event") else ""
        if not line:
            pending, self._pending, self._named = self._pending, "", ""
            if pending:
                raise ValueError(f"an event that is no JSON: {pending[:200]!r}")
        elif name == b"event":
            self._named = text
        elif text == _DONE:
            self.done = True
        elif text:
            yield from self._read_document(text, is_error=name == b"error" or self._named == "error")

    def _read_document(self, text: str, *, is_error: bool) -> Iterator[Any]:
        """The document, if it is whole with this line; else the next line of the same event goes on with it."""
        text, self._pending = f"{self._pending}\n{text}" if self._pending else text, ""
        try:
            document = json.loads(text)
        except ValueError:
            self._pending = text
            return
        wrapped = isinstance(document, dict) and "error" in document
        yield {"error": document} if is_error and not wrapped else document
