"""What makes two ways of writing the same: e-mails, phones and names. No database, no clock."""

import re
import unicodedata

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
_NOT_DIGITS = re.compile(r"\D")
_WORDS = re.compile(r"[^\W_]+")
SHORTEST, LONGEST = 2, 10


def plain_email(email: str) -> str:
    """The mailbox behind an e-mail address: without a +tag, and without dots where the provider ignores them."""
    normal = unicodedata.normalize("NFKC", email).strip().casefold()
    name, at, domain = normal.rpartition("@")
    if not at:
        return normal
    name = name.partition("+")[0] or name
    if domain in _DOTLESS:
        name, domain = name.replace(".", "") or name, "gmail.com"
    return f"{name}@{domain}"


def plain_phone(phone: str) -> str:
    """The digits of a phone number as it is dialed from anywhere; empty when there are too few to be one."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", phone)).removeprefix("00")
    return digits if len(digits) >= 7 else ""


def words(text: str) -> list[str]:
    """The words of a name, in small letters without accents, each once."""
    bare = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    return list(dict.fromkeys(_WORDS.findall(bare.casefold())))


def beginnings(text: str) -> list[str]:
    """Every beginning of every word of a name, from two letters to ten."""
    return list(
        dict.fromkeys(
            word[:length]
            for word in words(text)
            for length in range(min(SHORTEST, len(word)), min(len(word), LONGEST) + 1)
        )
    )


def sought(text: str) -> list[str]:
    """The beginnings that a search text asks for, all of which a name must have."""
    return [word[:LONGEST] for word in words(text) if len(word) >= SHORTEST]
