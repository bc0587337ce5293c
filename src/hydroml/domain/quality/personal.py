"""Values that may tell who somebody is, by their form and their check digits."""

import re
from collections.abc import Sequence

from hydroml.domain.quality.words import words_of

_EMAIL = re.compile(r"[^@\s,;]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"(\+|00)[1-9][0-9 ()/.-]{6,18}[0-9]|\(?0[0-9]{1,4}\)?[ /-][0-9 /-]{4,12}[0-9]")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"[3-6][0-9]{12,18}")
_ENOUGH = 0.2
"""The share of the values looked at that must have the form."""


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text.strip()) is not None


def is_phone(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return 7 <= digits <= 15 and _PHONE.fullmatch(text.strip()) is not None


def is_iban(text: str) -> bool:
    """By its check digits: ISO 13616, modulo 97."""
    plain = re.sub(r"\s", "", text).upper()
    if not _IBAN.fullmatch(plain):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """By its check digit: the algorithm of Luhn (ISO/IEC 7812)."""
    plain = re.sub(r"[\s-]", "", text)
    if not _CARD.fullmatch(plain) or len(set(plain)) < 4:
        return False
    digits = [int(c) for c in reversed(plain)]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_FORMS = (
    ("e-mail addresses", is_email),
    ("bank accounts (IBAN)", is_iban),
    ("credit cards", is_card),
    ("telephone numbers", is_phone),
)


def personal_by_value(name: str, values: Sequence[str]) -> str | None:
    """What the values say about people, if enough of them have such a form."""
    if not values:
        return None
    for what, fits in _FORMS:
        share = sum(1 for value in values if fits(value)) / len(values)
        needed = 0.6 if what == "credit cards" and not words_of(name) & {"card", "credit", "cc"} else _ENOUGH
        if share >= needed:
            return what
    return None
