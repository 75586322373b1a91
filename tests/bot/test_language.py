"""English is told from other languages; little words decide, and doubt means English."""

import pytest

from bot.language import UNKNOWN, detect_language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "why is my bill so high"),
        ("en", "wifi not wrking plz hlp me"),
        ("en", "Mein Router is broken, can you help?"),
        ("de", "Meine Rechnung ist viel zu hoch, warum?"),
        ("de", "Internet geht nicht"),
        ("fr", "Ma facture est trop élevée"),
        ("es", "Hola, quiero cancelar mi contrato"),
        ("it", "Internet non funziona da ieri"),
        ("nl", "Ik wil graag mijn contract opzeggen"),
        ("pt", "A minha fatura está muito alta"),
        ("pl", "Internet nie działa od wczoraj"),
        ("sv", "Internet fungerar inte sedan igår"),
        ("tr", "Faturam çok yüksek"),
        ("ru", "Интернет не работает"),
        ("uk", "Чому інтернет не працює?"),
        ("ar", "لماذا فاتورتي مرتفعة"),
        ("zh", "我的账单为什么这么高？"),
        ("ja", "請求書が高すぎます"),
        ("ko", "요금이 왜 이렇게 많이 나왔나요?"),
        ("hi", "मेरा बिल इतना ज़्यादा क्यों है?"),
    ],
)
def test_the_language_is_told(language, text):
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "😀😀", "12345", "LF-204815", "ok", "ciao", "café", "?!", "x" * 4000])
def test_too_little_to_tell_is_undetermined(text):
    assert detect_language(text) == UNKNOWN


def test_an_english_message_with_a_foreign_name_in_another_script_stays_english():
    assert detect_language("my name is 王伟 and I would like to change the address on my account") == "en"
