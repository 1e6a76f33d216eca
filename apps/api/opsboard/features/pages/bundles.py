"""The page's modules and style sheets joined into few files, as they are asked for: there is no build step.

A module becomes a function of its exports, and the imports at its head become look-ups. The code of a page that opens
later is a file of its own with what the first file lacks. Only the forms of import and export that the page uses are
understood; `link` raises for any other. The single modules are served too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# Pages with a script of their own; the parts that the first one loads later share its modules.
ENTRIES = ("app.js", "design.js", "set-password.js", "status.js", "traveller.js", "wall.js")
SHEETS = {
    "base.bundle.css": ("light.css", "tokens.css", "page.css"),
    "app.bundle.css": (
        "nav.css",
        "board.css",
        "charts.css",
        "lists.css",
        "forms.css",
        "search.css",
        "numbers.css",
    ),
}
IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w-]+\.js)";\n', re.MULTILINE)
LATER = re.compile(r'\bawait import\("\./([\w-]+)\.js"\)')
EXPORT = re.compile(r"^export (?=(async function|function|class|const) ([\w$]+))", re.MULTILINE)
UNKNOWN = re.compile(r"^(?:import|export)\b.*|^await\b.*", re.MULTILINE)
RUNTIME = """const makers = {};
const made = {};
export function define(name, make) {
  makers[name] ??= make;
}
export function need(name) {
  if (name in made) return made[name];
  made[name] = {};
  makers[name](made[name]);
  return made[name];
}
async function later(name) {
  if (!(`${name}.js` in makers)) await import(`./${name}.chunk.js`);
  return need(`${name}.js`);
}
"""
JOINED = 'import { define, need } from "./app.bundle.js";\n'


# Name, place and time of the last change of each file.
Stamps = tuple[tuple[str, Path, int], ...]


@dataclass(frozen=True)
class Module:
    """A module as a function body, what it imports (module -> names), and what it exports."""

    body: str
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    later: frozenset[str]
    functions: frozenset[str]
    values: frozenset[str]

    @property
    def definition(self) -> str:
        # Functions are there before the module runs, so modules may import functions of each other.
        first, last = (given(names) for names in (self.functions, self.values))
        return f"(exports) => {{\n{first}{self.body}{last}}}"


def given(names: frozenset[str]) -> str:
    return f"Object.assign(exports, {{ {', '.join(sorted(names))} }});\n" if names else ""


def link(text: str) -> Module:
    """Rewrite a module. Raises ValueError for an import or export of another form."""
    imports = tuple((name, imported(names)) for names, name in IMPORT.findall(text))
    later = frozenset(LATER.findall(text))
    exports = EXPORT.findall(text)
    body = IMPORT.sub(lambda found: look_up(found[1], found[2]), text)
    body = LATER.sub(r'await later("\1")', EXPORT.sub("", body))
    if unknown := UNKNOWN.search(body):
        raise ValueError(f"cannot be joined with other modules: {unknown[0]}")
    functions = frozenset(name for kind, name in exports if "function" in kind)
    return Module(body, imports, later, functions, frozenset(name for _, name in exports) - functions)


def imported(names: str) -> tuple[str, ...]:
    return tuple(name.split(" as ")[0].strip() for name in names.split(",") if name.strip())


def look_up(names: str, module: str) -> str:
    if not names:
        return f'need("{module}");\n'
    return f'const {{{names.replace(" as ", ": ")}}} = need("{module}");\n'


def order(modules: Mapping[str, Module], entry: str) -> list[str]:
    """Every module that an entry imports, each before those that import it."""
    found: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        under_way.append(name)
        for other, names in modules[name].imports:
            # Imported in a circle, it has not run yet: only its functions are there.
            if other in under_way and (missing := set(names) - modules[other].functions):
                raise ValueError(
                    f"{name} imports {', '.join(sorted(missing))} of {other}, which imports {name}"
                )
            if other not in found and other not in under_way:
                visit(other)
        under_way.pop()
        found.append(name)

    visit(entry)
    return found


@lru_cache(maxsize=4)
def bundles(files: Stamps) -> dict[str, str]:
    """Name -> text of every joined file; made again when one of the files has changed."""
    texts = {name: file.read_text() for name, file, _ in files if name.endswith((".js", ".css"))}
    modules = {
        name: link(text) for name, text in texts.items() if name.endswith(".js") and name != "theme.js"
    }
    whole = {f"{entry.removesuffix('.js')}.bundle.js": whole_of(modules, entry) for entry in ENTRIES}
    first = order(modules, "app.js")
    parts = sorted({name for module in modules.values() for name in module.later})
    chunks = {f"{name}.chunk.js": JOINED + definitions(modules, f"{name}.js", first) for name in parts}
    sheets = {name: "".join(texts[part] for part in sheet) for name, sheet in SHEETS.items()}
    return {**whole, **chunks, **sheets}


def whole_of(modules: Mapping[str, Module], entry: str) -> str:
    return f'{RUNTIME}{definitions(modules, entry)}need("{entry}");\n'


def definitions(modules: Mapping[str, Module], entry: str, without: list[str] | None = None) -> str:
    names = [name for name in order(modules, entry) if name not in (without or ())]
    return "".join(f'define("{name}", {modules[name].definition});\n' for name in names)
