"""The findings of `opsboard doctor`: one line per check, with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

OK, WARN, FAIL = "ok", "warn", "FAIL"
EXIT_CODES = {OK: 0, WARN: 1, FAIL: 2}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `advice` is empty when there is nothing to do."""

    level: str
    check: str
    message: str
    advice: str = ""


@dataclass
class Findings:
    """All findings so far, in order."""

    found: list[Finding] = field(default_factory=list)

    def ok(self, check: str, message: str) -> None:
        self.found.append(Finding(OK, check, message))

    def warn(self, check: str, message: str, advice: str) -> None:
        self.found.append(Finding(WARN, check, message, advice))

    def fail(self, check: str, message: str, advice: str) -> None:
        self.found.append(Finding(FAIL, check, message, advice))

    @property
    def worst(self) -> str:
        return max((finding.level for finding in self.found), key=EXIT_CODES.__getitem__, default=OK)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.worst]

    def as_document(self) -> dict[str, Any]:
        return {"status": self.worst.lower(), "findings": [asdict(finding) for finding in self.found]}

    def as_lines(self) -> list[str]:
        """A checklist to read; advice stands under its line."""
        lines = []
        for finding in self.found:
            lines.append(f"{finding.level:4}  {finding.check:12}  {finding.message}")
            if finding.advice:
                lines.append(f"{'':20}-> {finding.advice}")
        counts = {level: sum(finding.level == level for finding in self.found) for level in EXIT_CODES}
        lines.append(", ".join(f"{number} {level}" for level, number in counts.items() if number))
        return lines
