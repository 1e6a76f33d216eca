"""Names of people and places, the same on every run."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from opsboard.demo.catalogue import SIGN_IN_ROLES, STAFF, Business
from opsboard.errors import CommandError

SURNAMES = 240
CITIES = 60
# By their place in the list of staff.
LEFT = {11, 30}


@dataclass(frozen=True)
class Names:
    """A pool that is large enough when its words are combined."""

    people: list[tuple[str, str]]
    surnames: list[str]
    cities: list[str]
    streets: list[str]


def pick_names(business: Business, seed: int) -> Names:
    """Names in the language of a business."""
    try:
        from mimesis import Address, Person
        from mimesis.locales import Locale
    except ImportError as error:
        raise CommandError("Demo data needs the extra: pip install 'opsboard[demo]'.") from error
    locale = Locale(business.language)
    person, address = Person(locale, seed=seed), Address(locale, seed=seed)
    return Names(
        people=[
            (person.first_name(), person.last_name()) for _ in range(sum(STAFF.values()) + len(SIGN_IN_ROLES))
        ],
        surnames=_distinct([person.last_name() for _ in range(4 * SURNAMES)])[:SURNAMES],
        cities=_distinct([address.city() for _ in range(2 * CITIES)])[:CITIES],
        streets=_distinct([address.street_name() for _ in range(2 * CITIES)])[:CITIES],
    )


def staff(business: Business, names: Names) -> list[dict[str, str | bool]]:
    """Everybody who works there: the three that sign in first, then by role."""
    roles = [*SIGN_IN_ROLES, *(role for role, people in STAFF.items() for _ in range(people))]
    people: list[dict[str, str | bool]] = []
    for place, (role, (first, last)) in enumerate(zip(roles, names.people, strict=True)):
        signs_in = place < len(SIGN_IN_ROLES)
        local = role if signs_in else f"{_plain(first)}.{_plain(last)}.{place}"
        people.append(
            {
                "email": business.email(local),
                "full_name": f"{first} {last}",
                "role": role,
                "is_active": place not in LEFT,
                "signs_in": signs_in,
            }
        )
    return people


def _distinct(words: list[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _plain(word: str) -> str:
    """Letters that may stand in an address: Jörg Weiß -> jorg, weiss."""
    decomposed = unicodedata.normalize("NFKD", word.lower().replace("ß", "ss"))
    return re.sub(r"[^a-z]", "", decomposed)
