"""Names of months as files have them: English, German, French, Spanish, Italian, Dutch and Portuguese."""

from __future__ import annotations

# From January on; a name may stand for itself and, with a point or without, for its short form.
NAMES = (
    "jan january januar jänner januari janvier janv enero ene gennaio gen janeiro",
    "feb february februar februari février févr fév fevrier febrero febbraio fevereiro fev",
    "mar march märz mär mrz maerz mars marzo maart mrt março",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag mei maio",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august août aout agosto ago augustus",
    "sep september sept septembre septiembre settembre set setembro",
    "oct october oktober okt octobre octubre ottobre ott outubro out",
    "nov november novembre noviembre novembro",
    "dec december dezember dez décembre déc decembre diciembre dic dicembre dezembro",
)
MONTHS = {name: number for number, names in enumerate(NAMES, 1) for name in names.split()}
# Longer names first, so that none is taken for the beginning of another.
PATTERN = "|".join(sorted(MONTHS, key=len, reverse=True))
