"""Numbers as spreadsheets write them ("1.250,0 pcs"), turned into SQL that never fails on a bad number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg2 import sql

# No more digits than bigint holds; the checks then bound it further.
PLAIN = "^[+-]?[0-9]{1,18}$"
# Spreadsheets group by several kinds of space and of apostrophe.
ALIKE = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}

# One that is out of the range of bigint is told as one out of the range of its column.
MULTIPLIED = sql.SQL("""
CASE WHEN {text} ~* {pattern} THEN
    least(
        round({factor} * concat(
            regexp_replace((regexp_match({text}, {pattern}, 'i'))[1], '[^0-9+-]', '', 'g'),
            '.', (regexp_match({text}, {pattern}, 'i'))[2], '0'
        )::numeric),
        999999999999
    )::bigint
END
""")


@dataclass(frozen=True)
class NumberFormat:
    """The marks of the numbers of a file."""

    # None: a point, but then 1.250 is a fault, because it may be a thousand.
    decimal: str | None = None
    thousands: str = ""
    # Units allowed after a number.
    units: tuple[str, ...] = ()
    # Multiplied by this and rounded, a number need not be whole.
    factor: float | None = None

    @property
    def pattern(self) -> str:
        """A whole number with its digits as the first group; one to be multiplied has its decimals as the second."""
        decimal = re.escape(self.decimal or ".")
        whole = "[0-9]{1,18}"
        if self.thousands:
            mark = "[" + re.escape(ALIKE.get(self.thousands, self.thousands)) + "]"
            whole = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}}){{1,5}}|{whole}"
        zeros = f"(?:{decimal}0*)?" if self.decimal else f"(?:{decimal}(?:0{{0,2}}|0{{4,}}))?"
        if self.factor:
            zeros = (
                f"(?:{decimal}([0-9]{{0,12}}))?"
                if self.decimal
                else f"(?:{decimal}([0-9]{{0,2}}|[0-9]{{4,12}}))?"
            )
        units = "|".join(re.escape(unit) for unit in self.units)
        return rf"^([+-]?(?:{whole})){zeros}" + (rf"(?:\s*(?:{units}))?$" if units else "$")

    def hints(self) -> list[tuple[str, str]]:
        """Patterns of numbers in other formats, and the setting that reads them."""
        found = [
            (
                r"^[+-]?[0-9]{1,3}([.,][0-9]{3})+$",
                'thousands = "," or "." in the mapping says what its mark means',
            )
        ]
        if self.decimal != ",":
            found.append(
                (
                    r"^[+-]?[0-9.]*[0-9],[0-9]+$",
                    'decimal = "," in the mapping reads a comma as the decimal mark',
                )
            )
        found.append(
            (
                r"^[+-]?[0-9][0-9.,]* ?[[:alpha:]%²³]{1,12}\.?$",
                "units = [...] in the mapping lists what may stand after a number",
            )
        )
        return found


def whole_number(text: sql.Composable, numbers: NumberFormat) -> sql.Composable:
    """The whole number of a text as bigint; NULL when it is none."""
    if numbers.factor:
        return MULTIPLIED.format(
            text=text, pattern=sql.Literal(numbers.pattern), factor=sql.Literal(numbers.factor)
        )
    return sql.SQL(
        "CASE WHEN {0} ~ {1} THEN {0}::bigint WHEN {0} ~* {2} "
        "THEN regexp_replace((regexp_match({0}, {2}, 'i'))[1], '[^0-9+-]', '', 'g')::bigint END"
    ).format(text, sql.Literal(PLAIN), sql.Literal(numbers.pattern))
