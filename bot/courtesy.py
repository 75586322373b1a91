"""Small talk: a message that is nothing but a greeting, a thank-you, a goodbye or a question who is there.

Patterns know the usual words; of others the intents may say that they are small talk ("it was in the junk!! well I never").
"""

import re

from bot import phrases

_NOT_A_LETTER = re.compile(r"[^a-z ]+")
_MOST_WORDS = 12
_WELL = (
    r"(?:(?:ok|okay|right|great|brilliant|perfect|lovely|cool|super|alright|fair enough|got it|nice one|oh|ah|well|yes|yep|"
    r"no|nope|that s|thats|it s|its|i m|im|all|now|done|sorted|fixed|working|works|in|fine|good|amazing|helpful|very|really|"
    r"so|will do|that worked|that works|that helps|that helped|understood|i see|no worries) ){0,8}"
)
_THANKS = r"(?:many )?(?:thanks|thank you|thankyou|thx|ta|cheers|merci|gracias|danke)"
_SO_MUCH = (
    r"(?: (?:so much|a lot|very much|again|mate|love|for that|for (?:your|the) help|anyway|then|now|that s great|"
    r"that s helpful|that s all)){0,3}"
)
_BYE = (
    r"(?:bye|goodbye|good bye|good night|goodnight|see you|bye bye|bye for now|take care|"
    r"have a (?:nice|good|great) (?:day|one|evening|weekend))"
)
_SOMEBODY = r"(?:a |an )?(?:real |actual )?(?:bot|robot|chatbot|ai|human|person|computer|machine|real person)"

COURTESIES = tuple(
    (re.compile(pattern), phrase)
    for pattern, phrase in (
        (
            r"(?:hi|hiya|hey|hello|good (?:morning|afternoon|evening)|yo|bonjour|hola|guten tag)"
            r"(?: there| all| team| again)?(?: (?:can|could) (?:you|someone|anyone) help(?: me)?(?: please)?)?",
            phrases.GREETING,
        ),
        (r"(?:can|could) (?:you|someone|anyone) help(?: me)?(?: please)?", phrases.GREETING),
        (r"(?:hi |hello |hey )?how are (?:you|u|things)(?: doing| keeping)?(?: today)?", phrases.GREETING),
        (rf"{_WELL}{_THANKS}{_SO_MUCH}", phrases.THANKS),
        (
            r"(?:ok |okay |right |great )?(?:all |that s |thats |it s |its |i m |im )?(?:done|sorted|fixed|working|all good)"
            r"(?: now)?(?: " + _THANKS + r")?",
            phrases.THANKS,
        ),
        (r"(?:no )?(?:that s all|thats all|nothing else|i m fine|im fine|i m all set)(?: " + _THANKS + ")?", phrases.THANKS),
        (rf"{_WELL}(?:{_THANKS} )?(?:and )?{_BYE}(?: now| then| bye)?", phrases.GOODBYE),
        (
            rf"(?:so |and |hi |hello )?(?:are you|am i (?:talking|speaking|chatting|typing) (?:to|with)|is this) {_SOMEBODY}"
            rf"(?: or {_SOMEBODY})?",
            phrases.WHO,
        ),
        (
            r"(?:hi |hello |so |and )?(?:(?:who|what) (?:are|r) (?:you|u)|who(?: is|s| s) (?:this|there)|"
            r"who am i (?:talking|speaking|chatting|typing) (?:to|with))(?: please)?",
            phrases.WHO,
        ),
        (
            r"(?:hi |hello |so |and |ok )?what (?:(?:can|could|do) you (?:do|help)|(?:can|could) i ask)"
            r"(?: me| us| for me| you)?(?: with| about)?",
            phrases.CAN,
        ),
    )
)

_ASKS = re.compile(
    r"\?|\b(?:what|whats|how|hows|when|where|wheres|why|which|who|whos|can|could|does|do (?:you|i|u|they)|did|is there|"
    r"will|would|should|want|wanna)\b"
)
_HELLO = re.compile(r"(?:hi|hiya|hey|hello|yo|good (?:morning|afternoon|evening)|morning|afternoon|evening)\b")


def find_small_talk(text: str) -> str | None:
    """The phrase for a message that the intents take for small talk, or None where it asks something all the same."""
    said = " ".join(text.casefold().split())
    if _ASKS.search(said):
        return None
    if re.search(rf"\b{_BYE}\b", said):
        return phrases.GOODBYE
    if re.search(rf"\b{_THANKS}\b", said):
        return phrases.THANKS
    return phrases.GREETING if _HELLO.match(said) else phrases.GLAD


def find_courtesy(text: str) -> str | None:
    """The phrase that answers small talk, or None for a message that says anything else."""
    plain = " ".join(_NOT_A_LETTER.sub(" ", text.casefold()).split())
    if len(plain.split()) > _MOST_WORDS:
        return None
    return next((phrase for pattern, phrase in COURTESIES if pattern.fullmatch(plain)), None)
