"""Who may import whom, and that `import platform` stays the standard library's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "platform" / "trellis"
# a folder imports only from those before it
ORDER = [
    ["config"],
    ["formula"],
    ["model"],
    ["storage"],
    ["records"],
    ["automation"],
    ["reports"],
    ["identity"],
    ["web"],
    ["api"],
    ["studio"],
    ["packaging"],
    ["cli"],
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
FORBIDDEN = {
    "config": {"sqlalchemy", "flask", "flask_appbuilder"},
    "formula": {"yaml", "flask", "flask_appbuilder"},
    "model": {"flask", "flask_appbuilder", "yaml"},
    "storage": {"flask", "yaml"},
    "records": {"flask", "yaml"},
}


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports when it runs (what is only for type checkers does not count)."""
    found: set[str] = set()
    stack: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            stack += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
        stack += ast.iter_child_nodes(node)
    return found


def files() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if "node_modules" not in p.parts]


@pytest.mark.parametrize("folder", LEVEL)
def test_folders_import_one_way(folder: str) -> None:
    wrong = []
    for path in files():
        if path.relative_to(PACKAGE).parts[0] != folder:
            continue
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "trellis" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != folder:
                if LEVEL[parts[1]] >= LEVEL[folder]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
            elif parts[0] in FORBIDDEN.get(folder, ()):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_platform_is_the_standard_library() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    code = "import platform; print(platform.python_version())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3.")
