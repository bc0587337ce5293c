"""What names of columns suggest. A hint, never a proof."""

import re
import unicodedata


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def words_of(name: str) -> frozenset[str]:
    """`stationName_2 (°C)` → station, name, 2, c."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    return frozenset(re.findall(r"[a-z]+|[0-9]+", parts.lower()))


_KEYS = _set("id ids key code no nr num number uuid guid identifier gauge station site basin huc fips zip")
_CODES = _set(
    "id code zip plz postal postcode huc fips gauge basin station site hydroid isbn iban account phone siret insee"
)
_GROUPS = _set(
    "basin gauge site station well catchment location loc river id city region country watershed plot sensor group"
    " name code"
)
_NOT_NEGATIVE = _set(
    "flow discharge streamflow runoff rain rainfall precip precipitation prcp ppt snow swe snowfall q qobs cfs"
    " cms volume area population count price age distance weight"
)
_MAY_BE_NEGATIVE = _set(
    "diff difference change delta anomaly error residual net trend elasticity log ln std scaled normalised normalized"
    " z corr correlation skew slope index seasonality velocity lat latitude lon long longitude"
)
_PERSONAL = {
    "e-mail addresses": frozenset(("email", "mail")),
    "telephone numbers": frozenset(("phone", "telephone", "mobile", "fax", "telefon", "handy")),
    "names of people": frozenset(("surname", "firstname", "lastname", "fullname", "nachname", "vorname", "prenom")),
    "dates of birth": frozenset(("birthday", "birthdate", "dob", "geburtsdatum")),
    "identity numbers": frozenset(("ssn", "passport", "taxid", "nin")),
    "bank accounts": frozenset(("iban", "bic", "kontonummer")),
}
_PERSONAL_PAIRS = {
    ("first", "name"): "names of people",
    ("last", "name"): "names of people",
    ("full", "name"): "names of people",
    ("date", "birth"): "dates of birth",
    ("credit", "card"): "credit cards",
    ("street", "address"): "addresses",
    ("home", "address"): "addresses",
    ("ip", "address"): "network addresses",
}
_ORDERED_YEARS = frozenset(("year", "yr", "yyyy", "jahr", "annee", "ano"))


def looks_like_key(name: str) -> bool:
    return bool(words_of(name) & _KEYS)


def looks_like_code(name: str) -> bool:
    """Whether the numbers in it are names, of which leading zeros are a part."""
    return bool(words_of(name) & _CODES)


def looks_like_group(name: str) -> bool:
    return bool(words_of(name) & _GROUPS)


def looks_like_year(name: str) -> bool:
    return bool(words_of(name) & _ORDERED_YEARS)


def cannot_be_negative(name: str) -> bool:
    found = words_of(name)
    return bool(found & _NOT_NEGATIVE) and not found & _MAY_BE_NEGATIVE


def personal_by_name(name: str) -> str | None:
    """What a column of that name holds about people."""
    found = words_of(name)
    for what, signs in _PERSONAL.items():
        if found & signs:
            return what
    for pair, what in _PERSONAL_PAIRS.items():
        if found.issuperset(pair):
            return what
    return None


SENTINELS = (
    -9999.0, -999.0, -99.0, -999.9, -99.9, -99.99, -9999.9, -999.99, -99999.0, -999999.0, -6999.0, -7999.0, -8888.0,
    9999.0, 99999.0, 999999.0, 999.0, 9999.9, 999.9, 9999999.0, 1e20, -1e20, 1e30, -1e30, 32767.0, -32768.0,
    2147483647.0, -2147483648.0,
)  # fmt: skip
"""Numbers that loggers and archives write where there is no value."""

PLACEHOLDERS = _set(
    "- -- --- . .. ? ?? * na n/a #n/a n.a. nan null none nil unknown unk missing undefined tbd tba xxx void"
    " unbekannt inconnu desconocido k.a. keine #value! #ref! #div/0! (null) <na> not_available nodata no_data"
) | {"not available", "not known", "no data", "not applicable", "not recorded", "keine angabe"}
"""Words that stand for a missing value, stripped and in small letters."""

ODD_DATES = ("1900-01-01", "1899-12-30", "1899-12-31", "1904-01-01", "1970-01-01", "1800-01-01", "0001-01-01",
             "1111-11-11", "9999-12-31", "9999-01-01", "2099-12-31", "2999-12-31")  # fmt: skip
"""Dates that programs write where there is none."""
