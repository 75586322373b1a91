"""Personal data in letters: e-mail addresses, passwords and codes, bank accounts by sort code."""

import re
from collections.abc import Iterator

_EMAIL = re.compile(
    r"(?<![\w.+\-])[\w.!#$%&'*+/=?^`{|}~\-]{1,64}@(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24}(?![\w@])"
    r"|(?<![\w.])[\w.+\-]{1,64} ?[\[({] ?(?i:at) ?[\])}] ?[\w\-]{1,63}(?: ?(?:\.|[\[({] ?(?i:dot) ?[\])}]| (?i:dot) ) "
    r"?[a-zA-Z]{2,24}){1,4}"
    r"|(?<![\w.])[\w.+\-]{1,64} (?i:at) [\w\-]{1,63}(?: (?i:dot) [a-zA-Z]{2,24}){1,4}(?!\w)"
)
_KEY = re.compile(
    r"(?<![\w-])(?:sk-[\w-]{20,200}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,100}|xox[abp]-[\w-]{10,100}|AIza[\w-]{30,60}"
    r"|eyJ[\w-]{10,500}\.[\w-]{10,900}\.[\w-]{10,500})"
)
_NAMED = (
    r"pass ?-?words?|pass ?codes?|pass ?phrases?|pwd|pw|memorable (?:word|answer|place|date)|security answer|secret "
    r"(?:word|answer)|"
    r"passwort|kennwort|mot de passe|contrase\u00f1a|wachtwoord|has\u0142o|senha|parola"
)
_CODES = (
    r"(?:(?:card|sim|voicemail|account|bank|security|my|the|your) )?(?:pin|puk|cvv2?|cvc2?|otp|tan)|security code|"
    r"one[- ]?time (?:code|pass ?code|password|pin)|"
    r"(?:verification|login|sign[- ]?in|2fa|two[- ]?(?:step|factor)|authenti[a-z]{2,8}|access|text|sms|unlock) (?:code|"
    r"pin)|six[- ]digit code|6[- ]digit code"
)
_PASSWORD = re.compile(
    rf"(?<!\w)(?i:{_NAMED})(?: (?i:for|to|of|on|in|is|used|here|again|now|my|the|your|this)(?: [\w.'@]{{1,30}}){{0,3}}?)?"
    r"\s{0,2}(?P<sign>(?i:is|was|were|are|ist|est|es)(?= )|[:=]|->|-|(?=[\"'“‘`]\S))\s{0,3}(?:(?i:still|now|just) "
    r")?(?P<quote>[\"'“‘`]?)(?P<value>[^\s\"“”‘`]{3,64})"
)
_CODE = re.compile(
    rf"(?<!\w)(?i:{_CODES})(?i: (?:number|code|you sent(?: me)?|i got|i received|is|was|for my \w+|of my \w+|of|"
    rf"for)){{0,3}}\s?[:=#]?\s{{0,2}}(?P<value>\d{{3}}[ -]?\d{{0,5}})(?![\w/.,]?\d)"
)
_ORDINARY = frozenset(
    "not wrong incorrect invalid the too a an my your and but or so it that this still being never always no now never "
    "locked"
    " required weak strong long short old new missing lost here there what why when how correct right fine ok okay gone case"
    " different same only also already what's n't unknown secure safe blank empty hidden saved reset in on at for to "
    "of with from"
    " very really case-sensitive visible the same needed me all broken sent stored compromised protected impossible "
    "forgotten"
    " doing working about".split()
)
_SORT_CODE = re.compile(r"(?<![\w-])\d{2}[- ]\d{2}[- ]\d{2}(?![\w-])")
_ACCOUNT = re.compile(
    r"(?i:bank account|account)(?i: (?:number|no|nr))?\.?\s?(?i:is|:|=|#)?\s{0,2}(?P<value>\d{4} ?\d{4})(?!\d)"
)
_BANK_WORDS = re.compile(r"(?i:sort[- ]?code|bank account|bank details)")


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses, also as `name (at) example (dot) com`."""
    for found in _EMAIL.finditer(text):
        yield found.start(), found.end()


def find_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Passwords, PINs, one-time codes and access keys: the value alone, not the word that announces it."""
    spans = [found.span() for found in _KEY.finditer(text)]
    spans += [_trimmed(found) for found in _PASSWORD.finditer(text) if _is_password(found)]
    spans += [found.span("value") for found in _CODE.finditer(text)]
    end = 0
    for start, stop in sorted(spans):
        if start >= end:
            end = stop
            yield start, stop


def _trimmed(found: re.Match[str]) -> tuple[int, int]:
    value = found["value"]
    return found.start("value"), found.start("value") + len(value.rstrip(",;)'"))


def _is_password(found: re.Match[str]) -> bool:
    """A value, not the rest of a sentence ("my password is not working")."""
    value = found["value"].strip(".,;!?'\"")
    if value.lower() in _ORDINARY or len(value) < 3:
        return False
    if re.search(r"[\d!@#$%^&*_+=]", value) or found["quote"] or found["sign"] in (":", "=", "->"):
        return True
    return found["sign"] != "-" and not value.lower().endswith(("ed", "ing", "n't", "ly", "able", "en"))


def find_bank_accounts(text: str) -> Iterator[tuple[int, int]]:
    """Sort codes and the account numbers beside them (United Kingdom)."""
    if not _BANK_WORDS.search(text):
        return
    spans = [found.span() for found in _SORT_CODE.finditer(text)] + [
        found.span("value") for found in _ACCOUNT.finditer(text)
    ]
    end = 0
    for start, stop in sorted(spans):
        if start >= end:
            end = stop
            yield start, stop
