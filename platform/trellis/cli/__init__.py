"""The `trellis` command: each module here that has a `command` is a subcommand, imported only when it is called."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import trellis.automation.restoring  # a copy from a backup tells others nothing by itself
import trellis.identity  # noqa: F401 - roles follow whatever is applied
from trellis import __version__

HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def command_modules() -> dict[str, str]:
    """The subcommands with the first line of their module, read without importing anything."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        if path.stem.startswith("_"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        names = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
        names |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        if "command" in names:
            name = path.stem.rstrip("_").replace("_", "-")  # import_.py: a module cannot have Python's own word
            line = (ast.get_docstring(tree) or "").partition("\n")[0].removeprefix(f"trellis {name}: ")
            found[name] = line[:1].upper() + line[1:]
    return found


class LazyGroup(click.Group):
    """A group whose commands are modules; help lists them by their first line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(command_modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in command_modules():
            return None
        module = cmd_name.replace("-", "_")
        if not (HERE / f"{module}.py").exists():
            module += "_"
        command: click.Command = import_module(f"trellis.cli.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it did not foresee is told in a sentence."""
        from trellis.cli._failure import explained

        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):  # `| head` has seen enough
            raise
        except Exception as error:
            if (told := explained(error)) is None:
                raise
            raise told from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(command_modules().items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trellis")
def main() -> None:
    """Trellis: YAML in, a running CRM out."""
