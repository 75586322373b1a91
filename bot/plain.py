"""A message as the rules read it: lower case, plain letters and apostrophes, one space between words, sentences apart."""

import re
import unicodedata
from functools import lru_cache

READ_CHARS = 4000
"""The rules read this much of a message: the longest that is taken by default, and what keeps their time bounded."""
_HEAD = 3000
_QUOTED = re.compile(r"^[>|].*$", re.MULTILINE)
_LETTERS_APART = re.compile(r"(?<!\w)(?:\w[ .*_-]){3,}\w(?!\w)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_APOSTROPHES = str.maketrans("’‘ʼ´`＇", "''''''")
_SENTENCE_END = re.compile(r"[.!?;…\n]+(?=\s|$)|[\n!?;…]+")
_PAUSE = re.compile(r"\s*,\s*|:(?=\s)|\s+[-–—]+\s+|[()\[\]\"“”«»]+")
_NO_WORD = re.compile(r"[^\w'.,£$€%@+/&-]+|(?<!\w)[.'-](?!\w)|_+")


@lru_cache(64)  # every rule reads the same message
def plain(text: str) -> str:
    """The text for the rules: ` . ` ends a sentence, ` , ` a clause; what the customer quoted is left out if more remains.

    Of a text over READ_CHARS the beginning and the end are read.
    """
    if len(text) > READ_CHARS:
        text = f"{text[:_HEAD]}\n{text[_HEAD - READ_CHARS :]}"
    text = unicodedata.normalize("NFKC", _QUOTED.sub("", text).strip() or text).translate(_APOSTROPHES).lower()
    text = _LETTERS_APART.sub(lambda found: re.sub(r"[ .*_-]", "", found[0]), text)
    text = _STRETCHED.sub(r"\1", text)
    text = _PAUSE.sub(" , ", _SENTENCE_END.sub(" . ", text))
    text = _NO_WORD.sub(lambda found: f" {found[0]} " if found[0] in (".", ",") else " ", text)
    return " ".join(text.split())


def sentences(text: str) -> list[str]:
    """The sentences of the plain text, each once, without their signs."""
    return list(dict.fromkeys(one.strip(" ,.") for one in plain(text).split(" . ")))
