"""Numbers that name a person: payment cards, bank accounts by IBAN, national identity numbers, phone numbers."""

import re
from collections.abc import Iterator
from itertools import accumulate

import phonenumbers

_BUSINESS = re.compile(
    r"(?:o[a-z]{0,2}rd[a-z]{1,4}|pur[a-z]{3,6}|invoice|bill|ref|reference|ticket|case|tracking|parcel|shipment|serial|"
    r"imei|imsi|iccid|sim|account|customer|contract|"
    r"booking|appointment|meter|model|version|firmware|error|fault|transaction|payment|voucher|article|product|part|"
    r"mac|policy|"
    r"complaint|quote|item|job|id|po|sku|ean|vat|bestell\w*|rechnung\w*|auftrag\w*|commande|pedido|factura)s?"
    r"[\s\-]{0,2}(?:numbers?|no|nr|num|code|id|ref|reference|nummer)?\.?\s?(?:is|was|:|=|#|-)?\s{0,2}[#:(]?\s?$",
    re.IGNORECASE,
)
_CONTEXT_CHARS = 34
_RUN = re.compile(r"(?<![\w.])\d(?:[ .\-\n]{0,2}\d){11,40}(?!\w)")
_CARD = re.compile(  # issuer ranges with their lengths
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|"
    r"[689]\d)\d{11}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:50[0-9]{2}|5[6-8]\d{2}|"
    r"6[37]\d{2})\d{8,15}|220[0-4]\d{12}"
)
_NO_CARD = re.compile(
    r"(?:imei|imsi|iccid|serial|tracking|meter|parcel|barcode|ean)\W{0,3}(?:\w+\W{0,3}){0,2}$", re.IGNORECASE
)
_IBAN_LENGTH = {
    one[:2]: int(one[2:])
    for one in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
        "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 "
        "SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \-]?\d[ \-]?\d")
_IBAN_LONGEST = 60
_SHAPES = re.compile(
    r"(?<![\w-])(?:(?!000|666|9\d\d)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}"  # United States
    r"|(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])"  # United Kingdom
    r"|(?i:[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z])"  # Italy
    r"|[A-Z]{5}\d{4}[A-Z])(?![\w-])"  # India, PAN
)
_SPANISH = re.compile(r"(?<!\w)([XYZ\d])-?(\d{7})-?([A-Z])(?!\w)")
_FRENCH = re.compile(r"(?<!\w)([12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}) ?(\d{2})(?!\w)")
_NAMED_ID = re.compile(
    r"(?<!\w)(?i:passport|driv(?:ing|er'?s?) licen[cs]e|national (?:id|identity|insurance)|id card|identity card|ssn|"
    r"social (?:security|insurance)|"
    r"tax (?:id|file|payer)|nhs|pesel|bsn|aadhaar|aadhar|steuer-?id|steuernummer|personalausweis|reisepass|"
    r"sozialversicherung\w*|dni|nie|"
    r"medicare|codice fiscale|burgerservice\w*|cpf|curp|nino)(?!\w)(?i: (?:number|no|nr|card|id|code|nummer)\.?){0,2}"
    r"(?i:'s)?\s?(?i:is|was|:|=|#|are|ist|es)?\s{0,2}#?((?=(?:[\w.\-/]{0,12} ?){0,5}?\d)[A-Z0-9](?:[ "
    r".\-/]?[A-Z0-9]){5,19})(?!\w)"
)
_DATE = re.compile(
    r"(?<![\d/.-])(?:\d{1,2}([/.\-])\d{1,2}\1(?:19|20)?\d{2}|(?:19|20)\d{2}([/.\-])\d{1,2}\2\d{1,2})(?![\d/-])|\d{1,2}:\d{2}"
)
_PHONE = re.compile(r"(?<![\w.,£$€%#¤/-])(?:\+ ?|\(\+?)?\(?\d(?:[ .\-/()]{0,3}\d){6,16}(?![\w%£€])")
_CALL = re.compile(
    r"(?i:call|phone|tel|telephone|mobile|mob|cell|text|sms|whatsapp|ring|reach|contact|landline|handy|fax|dial|"
    r"telefon\w*|tél\w*|móvil|"
    r"my (?:new |old )?number|numero|nummer|on this number|n[úu]mero)\b[^\n]{0,24}$"
)
_NORTH_AMERICAN = re.compile(r"(?:\+?1[ .\-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .\-])[2-9]\d{2}[ .\-]\d{4}")


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """International bank account numbers (ISO 13616): the country's length and the check digits, modulo 97."""
    end = 0
    for start in _IBAN_START.finditer(text):
        if start.start() < end:
            continue
        places = [
            place for place in range(start.start(), min(len(text), start.start() + _IBAN_LONGEST)) if text[place].isalnum()
        ]
        length = _IBAN_LENGTH.get((text[places[0]] + text[places[1]]).upper(), 0)
        if not length or len(places) < length:
            continue
        end_of = places[length - 1] + 1
        between = text[start.start() : end_of]
        whole = not text[end_of : end_of + 1].isalnum() and not re.search(r"[^\w \-]|[ \-]{3}", between)
        if whole and _iban_checks("".join(text[place] for place in places[:length]).upper()):
            end = end_of
            yield start.start(), end


def _iban_checks(iban: str) -> bool:
    return iban.isascii() and int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Payment cards: an issuer's range and length, and the check digit (Luhn, ISO 7812)."""
    for run in _RUN.finditer(text):
        if _NO_CARD.search(text[max(0, run.start() - _CONTEXT_CHARS) : run.start()]):
            continue
        groups = [(one.start(), one.end()) for one in re.finditer(r"\d+", run[0])]
        first = 0
        while first < len(groups):
            last = _card_from(run[0], groups, first)
            if last is not None:
                yield run.start() + groups[first][0], run.start() + groups[last][1]
                first = last
            first += 1


def _card_from(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card that begins with the group `first`."""
    lengths = list(accumulate(end - start for start, end in groups[first : first + 19]))
    for place in range(len(lengths) - 1, -1, -1):
        if 12 <= lengths[place] <= 19:
            last = first + place
            digits = re.sub(r"\D", "", run[groups[first][0] : groups[last][1]])
            if _CARD.fullmatch(digits) and len(set(digits)) > 1 and _luhn(digits):
                return last
    return None


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def find_national_ids(text: str) -> Iterator[tuple[int, int]]:
    """Identity numbers by their shape or check digits, and whatever is called a passport, licence or identity number."""
    taken: list[tuple[int, int]] = []
    spans = [found.span() for found in _SHAPES.finditer(text) if not _is_order(text, found.start())]
    spans += [found.span() for found in _SPANISH.finditer(text) if _spanish_checks(found)]
    spans += [found.span() for found in _FRENCH.finditer(text) if _french_checks(found)]
    spans += [found.span(1) for found in _NAMED_ID.finditer(text) if sum(sign.isdigit() for sign in found[1]) >= 4]
    for start, end in sorted(spans):
        if not any(start < other_end and other < end for other, other_end in taken):
            taken.append((start, end))
            yield start, end


def _spanish_checks(found: re.Match[str]) -> bool:
    number = int(str("XYZ".find(found[1]) if found[1] in "XYZ" else found[1]) + found[2])
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == found[3]


def _french_checks(found: re.Match[str]) -> bool:
    digits = found[1].replace(" ", "").replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits) % 97 == int(found[2])


def find_phones(text: str, country: str) -> Iterator[tuple[int, int]]:
    """Phone numbers: with a country's code, with a leading zero, in North American groups, or announced by a word."""
    seen = _DATE.sub(lambda found: "¤" * len(found[0]), text)
    for found in _PHONE.finditer(seen):
        start, end = found.start(), found.end()
        if found[0].count(")") < found[0].count("("):
            start += len(found[0]) - len(found[0].lstrip("("))
        before = seen[max(0, start - _CONTEXT_CHARS) : start]
        if not _BUSINESS.search(before) and _is_phone(seen[start:end], before, country):
            yield start, end


def _is_phone(written: str, before: str, country: str) -> bool:
    digits = re.sub(r"\D", "", written)
    if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+", written):
        return False  # an IP address, an amount
    if written.lstrip("( ").startswith("+"):
        return 8 <= len(digits) <= 17
    if digits.startswith("0"):
        return 9 <= len(digits) <= 12 if digits[1] != "0" else 11 <= len(digits) <= 17 and digits[2] != "0"
    if _NORTH_AMERICAN.fullmatch(written) or (7 <= len(digits) <= 15 and _CALL.search(before)):
        return True
    return written != digits and 8 <= len(digits) <= 12 and _is_valid(written, country)


def _is_valid(written: str, country: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(written, country.upper()))
    except phonenumbers.NumberParseException:
        return False


def _is_order(text: str, start: int) -> bool:
    before = _BUSINESS.search(text[max(0, start - _CONTEXT_CHARS) : start])
    return before is not None and not before[0].lower().startswith("id")
