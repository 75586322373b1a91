"""What a message's mood is read from: TextBlob's polarity, words of complaint and courtesy, emphasis, repetition."""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.patterns import load_patterns
from bot.plain import READ_CHARS, plain

RULES = ("repeated", "waited", "failed", "leaving", "bot_fails", "strong", "sarcasm", "calm", "question")
"""The rules of `bot/policies/mood.yaml` that are features of the model."""
COMPLAINTS = frozenset(RULES[:7])
NAMES = ("tone", "polarity", *RULES, "shouting", "exclamations", "question_marks", "insistence", "short")
_LETTERS = re.compile(r"[^\W\d_]")
_SHOUTED_WORD = re.compile(r"\b[A-Z]{3,}\b")
_INITIALISM = frozenset(
    "SIM ESIM PIN PUK PAC STAC USB HDMI LED WPS DNS VPN VAT IBAN BIC SMS MMS APN IMEI ICCID MAC TV HD UHD DVD PDF FAQ "
    "URL VOIP "
    "NASA BBC ITV GPS NFC LTE DSL VDSL FTTP FTTC ISP LAN WLAN WIFI WPA SSID ASAP FYI GDPR USA API CEO LOL NAME "
    "RELIGION FIFA UEFA".split()
)
_WORD = re.compile(r"[\w']+")
_NEGATOR = re.compile(r"not|no|never|without|hardly|\w+n't|cannot|cant|dont|didnt|wont|isnt|doesnt")
_NEGATED_WORDS = 3
_COURTESY = re.compile(r"\b(?:hate|sorry|afraid) (?:to|for) (?:bother\w*|ask\w*|troubl\w*|disturb\w*|chas\w*|be a pain)")
_SAME_REQUEST = 0.5
_EARLIER = 6
_LIST_DIGITS = 2
_FILLER = frozenset(
    "the a an and or but if of to in on at for from with i you it is are was be my your me we this that do does did "
    "can could would "
    "have has had please just so what how why when where there not no yes hi hello thanks ok okay will im i'm "
    "first second third last one two three morning afternoon evening monday tuesday wednesday thursday friday saturday "
    "sunday".split()
)
_Sentiment = Callable[[str], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodFeatures:
    """The model's features by name (without `tone`), the words for its lexicon, and the customer's words for each rule."""

    values: Mapping[str, float]
    words: tuple[str, ...]
    signs: Mapping[str, str]
    polarity: float


def read_features(text: str, earlier: Sequence[str] = ()) -> MoodFeatures:
    """What a message's mood is read from; `earlier` are the customer's messages before it, oldest first."""
    text = text[:READ_CHARS]
    signs = {match.rule: match.words for match in load_patterns("mood").find_all(plain(text))}
    polarity = textblob_polarity(text)
    if polarity < 0 and signs.keys() & {"calm", "question"} and not signs.keys() & COMPLAINTS:
        polarity = 0.0  # "I hate to bother you", "the policy for broken screens"
    values = {name: float(name in signs) for name in RULES} | {
        "polarity": polarity,
        "shouting": _shouting(text),
        "exclamations": min(text.count("!"), 3) / 3 if text.count("!") > 1 else 0.0,
        "question_marks": float(bool(re.search(r"\?\s?[?!]|![?]", text))),
        "insistence": insistence(text, earlier),
        "short": float(len(_WORD.findall(text[:200])) <= 4),
    }
    return MoodFeatures(values=values, words=mood_words(text), signs=signs, polarity=polarity)


def mood_words(text: str) -> tuple[str, ...]:
    """The words for the lexicon, each once; up to three after a negation are marked: `not_happy`."""
    words: dict[str, None] = {}
    negated = 0
    for word in _WORD.findall(_COURTESY.sub(" ", plain(text))):
        words[f"not_{word}" if negated else word] = None
        negated = _NEGATED_WORDS if _NEGATOR.fullmatch(word) else max(0, negated - 1)
    return tuple(words)


def insistence(text: str, earlier: Sequence[str]) -> float:
    """How far a message repeats the last six, in [0, 2]: shared words over all words, from one half on; more if often."""
    said = _content(text)
    same = [alike for one in earlier[-_EARLIER:] if (alike := _overlap(said, _content(one))) >= _SAME_REQUEST]
    return min(2.0, max(same) * (1 + 0.5 * (len(same) - 1))) if same else 0.0


def _content(text: str) -> frozenset[str]:
    """The words that say something; a number of a list, chosen twice, is no repetition."""
    said = _WORD.findall(text[:READ_CHARS].lower())
    return frozenset(word for word in said if word not in _FILLER and not (word.isdecimal() and len(word) <= _LIST_DIGITS))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _shouting(text: str) -> float:
    """Words in capitals: 1 when the whole message shouts, 0.5 for a word or two in it."""
    shouted = [word for word in _SHOUTED_WORD.findall(text) if word not in _INITIALISM]
    letters = _LETTERS.findall(text)
    if not shouted or len(letters) < 4:
        return 0.0
    return 1.0 if sum(letter.isupper() for letter in letters) > 0.7 * len(letters) and len(text.split()) > 1 else 0.5


def textblob_polarity(text: str) -> float:
    """TextBlob's own polarity, in [-1, 1]: what the rules repair."""
    return max(-1.0, min(1.0, float(_textblob()(text)[0])))


@lru_cache
def _textblob() -> _Sentiment:
    """TextBlob's lexicon analyser: what its `PatternAnalyzer` calls. No corpora, no network, and no NLTK.

    Importing TextBlob's package imports all of NLTK, which imports scikit-learn, SciPy and pandas where they are installed:
    4 s of processor time and 170 MiB for what this needs nothing of. So a package that was not executed stands in for it.
    """
    is_held = "textblob" in sys.modules
    spec = importlib.util.find_spec("textblob")
    assert spec  # noqa: S101  a dependency of the product
    try:
        if not is_held:
            sys.modules["textblob"] = importlib.util.module_from_spec(spec)
        from textblob.en import sentiment  # noqa: PLC0415 - see above
    finally:
        if not is_held:  # whoever imports TextBlob itself gets it whole; a copy, for other threads import meanwhile
            for name in [name for name in list(sys.modules) if name.partition(".")[0] == "textblob"]:
                del sys.modules[name]
    analyse: _Sentiment = sentiment
    analyse("ready")
    return analyse
