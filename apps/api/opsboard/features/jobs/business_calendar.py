"""The clock of a business that works at certain hours: it stands while the business is closed."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

MINUTES = 1440
# Days ahead for which dates are known: ten years, and those that are closed in them.
AHEAD = 5000

Shift = tuple[int, int, int]
"""A weekday from 1, Monday, and the first and last minute; the last is of the next day if it is not later."""


class BusinessCalendar:
    """Times in days from the start of today, as working days and back.

    A working day is the mean of the weekdays on which the business works, so that durations count in working minutes.
    """

    def __init__(
        self, weekday: int, shifts: Sequence[Shift], holidays: Iterable[tuple[int, int]], first: int
    ) -> None:
        """`weekday` is that of today, `holidays` have first and last days from today, `first` is the oldest day."""
        self._weekday = weekday
        self._shifts = shifts_by_day(shifts)
        self._closed = {day for begin, end in holidays for day in range(begin, end + 1)}
        self._first = min(first, 0)
        self._unit = sum(map(length, self._shifts)) / sum(1 for day in self._shifts if day)
        minutes = (length(self._of(day)) for day in range(self._first, AHEAD))
        self._before = list(accumulate(minutes, initial=0))
        self._origin = self._before[-self._first]

    def _of(self, day: int) -> list[tuple[int, int]]:
        return [] if day in self._closed else self._shifts[(self._weekday - 1 + day) % 7]

    def working_days(self, moment: float) -> float:
        """Return the working days from the start of today until this moment, negative before it."""
        day = math.floor(moment)
        place = min(max(day - self._first, 0), len(self._before) - 1)
        minute = (moment - day) * MINUTES
        done = sum(max(0.0, min(minute, end) - begin) for begin, end in self._of(day))
        return (self._before[place] + done - self._origin) / self._unit

    def moment(self, working_days: float) -> float:
        """Return the first moment until which so many working days have passed; infinite where it is too far."""
        minutes = working_days * self._unit + self._origin - 1e-6
        place = bisect_left(self._before, minutes)
        if place >= len(self._before):
            return math.inf
        day = self._first + place - 1
        rest = minutes - self._before[place - 1] if place else 0.0
        for begin, end in self._of(day):
            if rest <= end - begin:
                return day + (begin + rest) / MINUTES
            rest -= end - begin
        return float(day)

    def days_until(self, working_days: int) -> int | None:
        """Return the days from today to the day on which so many working days from the end of today have passed."""
        moment = self.moment(self.working_days(1.0) + working_days)
        return max(0, math.ceil(moment - 1e-6) - 1) if math.isfinite(moment) else None


def business_calendar(document: dict[str, Any], weekday: int, first: int) -> BusinessCalendar | None:
    """Return the calendar of a statement's answer; None for a business that works at any time."""
    hours, holidays = document.get("hours"), document.get("holidays")
    if not hours and not holidays:
        return None
    always = [(day, 0, MINUTES) for day in range(1, 8)]
    return BusinessCalendar(weekday, hours or always, holidays or (), first)


def shifts_by_day(shifts: Sequence[Shift]) -> list[list[tuple[int, int]]]:
    """Return the first and last minutes of work of each weekday; a shift past midnight is of two days."""
    days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for weekday, begin, end in shifts:
        days[weekday - 1].append((begin, end if end > begin else MINUTES))
        if end <= begin and end:
            days[weekday % 7].append((0, end))
    return [sorted(day) for day in days]


def length(shifts: Iterable[tuple[int, int]]) -> int:
    return sum(end - begin for begin, end in shifts)
