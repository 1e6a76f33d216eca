"""Puts the table of all settings into docs/configuration.md: `python -m opsboard.commands.settings_table FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from opsboard.settings import SETTINGS, Setting, example_value

BEGIN, END = "<!-- settings:begin -->\n", "<!-- settings:end -->\n"


def table() -> str:
    """Every setting, by group, as Markdown."""
    lines = []
    group = ""
    for setting in SETTINGS:
        if setting.group != group:
            group = setting.group
            lines += ["", f"### {group}", "", "| setting | default | |", "|---|---|---|"]
        lines.append(f"| `{setting.name}` | {default_of(setting)} | {meaning_of(setting)} |")
    return "\n".join([*lines, "", ""])


def default_of(setting: Setting) -> str:
    value = "" if setting.secret else example_value(setting)
    return f"`{value}`" if value else "empty"


def meaning_of(setting: Setting) -> str:
    text = setting.help
    if setting.aliases:
        text += f" Also read: {', '.join(f'`{alias}`' for alias in setting.aliases)}."
    if setting.secret:
        text += f" Or `{setting.file_name}`."
    return text.replace("|", "\\|")


def with_table(document: str) -> str:
    """The document with the table between its marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no {BEGIN.strip()} and {END.strip()}")
    return before + begin + table() + end + after


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
