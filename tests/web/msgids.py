"""Every text that the interface says, and the command that brings a catalogue up to date with them.

`python tests/web/msgids.py` adds new msgids to each messages.po, drops those that nothing says any more, and names
what is still to be translated.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from trellis.config.codes import CODES

PLATFORM = Path(__file__).parents[2] / "platform" / "trellis"
WEB = PLATFORM / "web"
CATALOGUES = WEB / "translations"
KEYWORDS = {
    **dict.fromkeys(("_", "_l", "gettext", "lazy_gettext")),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "Fault": (2,),
    "StepFailed": (1,),
    "BadPath": (1,),
    "CannotWrite": (1,),
}
METHODS = [("assets/**", "ignore"), ("static/**", "ignore"), ("**.py", "python"), ("templates/**.html", "jinja2")]
JINJA = {"newstyle_gettext": "true", "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false"}
# where refusals are worded, as plain msgids
BELOW = ("records", "reports", "identity", "model/fields", "model/formats")
SENTENCE = re.compile(r"[A-Z“{].* .*[.?]", re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

Msgid = str | tuple[str, str]


def is_read(folder: str) -> bool:
    """Babel leaves out folders whose name begins with `_`; ours hold macros, which speak too."""
    return not Path(folder).name.startswith((".", "__"))


def of_pages() -> Iterator[Msgid]:
    """What templates, web code, letters and the API pass to gettext."""
    for folder in (WEB, *(PLATFORM / name for name in ("api", "identity", "automation", "studio"))):
        found = extract_from_dir(folder, METHODS, {"templates/**.html": JINJA}, KEYWORDS, directory_filter=is_read)
        for _file, _line, message, _comments, _context in found:
            yield message if isinstance(message, str) else (message[0], message[1])


def of_refusals() -> Iterator[str]:
    """Sentences that the layers below give to Fault and Invalid, wherever in the function they are chosen."""
    for part in BELOW:
        for path in sorted((PLATFORM / part).rglob("*.py")):
            if path.name != "reference.py":  # it writes documentation
                yield from _sentences(ast.parse(path.read_text()))


FAULTS = {
    **{"fault": (1, 3), "advise": (1, 3), "FormulaFault": (1, 4), "_limit_fault": (1,), "phrase": (0,)},
    **{"problem": (1, 3), "stop": (1,), "report": (1, 4), "Problem": (1, 4), "ValidationError": (0,)},
    **{"unknown": (0,), "document": (1,), "documents": (1,), "check_path": (6,)},
}
SAID_IN = {"hint", "message", "said", "advice", "what", "noun"}  # arguments, variables, parts of functions' names
TABLES = {"_HINTS", "_MEANT", "_OF_EACH"}
# keywords of ours in the schemas, whose texts the check of shapes says
OF_SCHEMAS = {"x-hint", "x-expected", "x-meant", "noun"}
CHECKED = ("config", "formula", "model", "studio/checking.py")


def of_checks() -> Iterator[Msgid]:
    """What the checker says: arguments of problem(…), fault(…) and phrase(…), hints that are chosen, and what mends."""
    yield from (code.advice for code in CODES.values() if code.advice)
    for part in CHECKED:
        for path in sorted((PLATFORM / part).rglob("*.py")) or [PLATFORM / part]:
            for node in ast.walk(ast.parse(path.read_text())):
                yield from (text for part in _said(node) for text in _texts(part))


def glued() -> Iterator[str]:
    """Where the checker says something that is put together so that no catalogue can hold it."""
    for part in CHECKED:
        for path in sorted((PLATFORM / part).rglob("*.py")) or [PLATFORM / part]:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    bad = (p for p in _said(node) if isinstance(p, ast.JoinedStr | ast.BinOp))
                    yield from (f"{path.relative_to(PLATFORM)}:{p.lineno}" for p in bad)


def _said(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        yield from (node.args[n] for n in FAULTS.get(name, ()) if n < len(node.args))
        if name != "phrase":  # whose keywords are what is put into it
            yield from (k.value for k in node.keywords if k.arg in SAID_IN)
    if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
        if target.id in SAID_IN:
            yield node.value
        if target.id in TABLES and isinstance(node.value, ast.Dict):
            yield from node.value.values
    if isinstance(node, ast.Dict):
        named = zip(node.keys, node.values, strict=True)
        yield from (_escaped(v) for k, v in named if isinstance(k, ast.Constant) and k.value in OF_SCHEMAS)
    if isinstance(node, ast.FunctionDef) and ("hint" in node.name or "advice" in node.name):
        yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None)


def _escaped(node: ast.AST) -> ast.AST:
    """A text that is said as it stands, braces and all."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return ast.Constant(str(node.value).replace("{", "{{").replace("}", "}}")) if is_text else node  # type: ignore[attr-defined]


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, not those that it only looks at."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (text for part in (node.body, node.orelse) for text in _texts(part))
    elif isinstance(node, ast.BoolOp | ast.Dict):
        yield from (text for part in node.values for text in _texts(part))


def _sentences(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from (s for s in _constants(node) if SENTENCE.fullmatch(s))
        if isinstance(node, ast.Call) and isinstance(node.args[0] if node.args else None, ast.Constant):
            name, first = getattr(node.func, "id", ""), node.args[0]
            if name == "wrong_kind":
                yield f"Expected {first.value}."  # type: ignore[attr-defined]
            if name == "Format":
                yield node.args[1].value  # type: ignore[attr-defined]


def _constants(function: ast.FunctionDef) -> Iterator[str]:
    skipped = {id(part) for n in ast.walk(function) if isinstance(n, ast.JoinedStr) for part in n.values}
    skipped |= {id(n.value) for n in ast.walk(function) if isinstance(n, ast.Expr)}  # docstrings
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def messages() -> dict[str, Msgid]:
    """Every msgid by its (singular) text."""
    found: dict[str, Msgid] = {}
    for message in (*of_pages(), *of_refusals(), *of_checks()):
        key = message if isinstance(message, str) else message[0]
        if key not in found or isinstance(message, tuple):
            found[key] = message
    return found


def placeholders(text: str) -> list[str]:
    """The placeholders of a text, in a fixed order."""
    return sorted(set(PLACEHOLDER.findall(text)))


def read_catalogue(path: Path) -> Catalog:
    """A messages.po."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def untranslated(catalogue: Catalog) -> list[str]:
    """The msgids that have no translation, or one that is marked fuzzy, which nobody is shown."""
    return [
        str(m.id)
        for m in catalogue
        if m.id and (m.fuzzy or not (m.string if isinstance(m.string, str) else m.string and all(m.string)))
    ]


def write_catalogue(path: Path, catalogue: Catalog) -> None:
    """A messages.po in the order of its msgids, so that two people's changes meet in few places."""
    body = BytesIO()
    write_po(body, catalogue, width=120, sort_output=True, no_location=True, omit_header=True)
    path.write_bytes(
        HEADER.format(language=catalogue.locale, plurals=catalogue.plural_forms).encode() + body.getvalue()
    )


def bring_up_to_date(path: Path) -> list[str]:
    """Write the catalogue anew with exactly today's msgids; returns those without a translation."""
    template = Catalog()
    for message in messages().values():
        template.add(message)
    catalogue = read_catalogue(path)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    write_catalogue(path, catalogue)
    return untranslated(catalogue)


if __name__ == "__main__":
    for po in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        for msgid in bring_up_to_date(po):
            sys.stdout.write(f"{po.parents[1].name}: {msgid!r}\n")
