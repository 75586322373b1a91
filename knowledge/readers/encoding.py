"""Bytes to text that is safe to store, show and embed: the encoding found, what cannot be seen removed."""

import codecs
import re
import unicodedata

from knowledge.errors import FileRefused

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive (as .docx and .xlsx are)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.doc, .xls)"),
    (b"{\\rtf", "an RTF file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
)
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
SPACES = re.compile("[\u00a0\u2007\u202f]")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff"  # controls and halves of characters
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u3164\uffa0"  # soft hyphen and other characters without a shape
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"  # zero width, direction overrides, annotations
    "\U000e0000-\U000e0fff\ue000-\uf8ff]"  # tags and private use: text a reader never sees
    # joiners shape Persian, Indic scripts and emoji; beside plain letters they only hide
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)


def decode_text(raw: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text of `raw` and the encoding it was read as: by its mark, UTF-8, the `declared` one, Windows-1252.

    Raises FileRefused when it is not text or no encoding fits.
    """
    for signature, what in SIGNATURES:
        if raw.startswith(signature):
            raise FileRefused(f"It is {what} under another name: give it its right ending, or save it as text.")
    for mark, encoding in BOMS:
        if raw.startswith(mark):
            return _decode(raw[len(mark) :], encoding), encoding
    for encoding in filter(None, ("utf-8", _known(declared))):
        try:
            return _checked(raw.decode(encoding)), encoding
        except (UnicodeDecodeError, LookupError):
            continue
    return _decode_windows(raw), "cp1252"


def clean_text(text: str) -> str:
    """The text in NFC with line feeds as line ends, without what cannot be seen or stored."""
    if text.isascii() and not CONTROLS.search(text) and "\r" not in text and "\x0b" not in text and "\x0c" not in text:
        return text
    text = UNSEEN.sub("", SPACES.sub(" ", LINE_ENDS.sub("\n", text)))
    return unicodedata.normalize("NFC", text)


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return _checked(raw.decode(encoding))
    except UnicodeDecodeError:
        raise FileRefused(f"It is marked as {encoding} but is damaged: save it again as UTF-8.") from None


def _decode_windows(raw: bytes) -> str:
    unreadable = FileRefused("Its encoding cannot be told (neither UTF-8 nor Windows-1252): save it as UTF-8.")
    if b"\x00" in raw:
        raise FileRefused("It is not text but binary data: remove it, or save it as text.")
    try:
        text = _checked(raw.decode("cp1252"))
    except UnicodeDecodeError:
        raise unreadable from None
    foreign = sum(1 for character in text if character > "\x7f" and character.isalpha())
    if foreign * 4 > sum(1 for character in text if character.isalpha()):
        raise unreadable  # mostly accents: another script read with the wrong table
    return text


def _checked(text: str) -> str:
    controls = len(CONTROLS.findall(text))
    if controls > max(10, len(text) // 50):
        raise FileRefused("It is not text but binary data: remove it, or save it as text.")
    return text


def _known(encoding: str | None) -> str | None:
    try:
        return codecs.lookup(encoding).name if encoding else None
    except LookupError:
        return None
