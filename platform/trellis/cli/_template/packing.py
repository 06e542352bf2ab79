"""trellis template key, pack, show and trust."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli._template.making import checked_folder, workspace_at

if TYPE_CHECKING:
    from trellis.packaging.keys import SigningKey, TrustedKeys
    from trellis.packaging.package import Package

PASSPHRASE = "TRELLIS_KEY_PASSPHRASE"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="template.key")
@click.option("--name", help="Who signs: your company's name.")
@click.option("--passphrase", is_flag=True, help="Lock the key with a passphrase.")
@click.option("--show", is_flag=True, help="Show the public half of a key that is there.")
def key(file: Path, name: str | None, passphrase: bool, show: bool) -> None:
    """Make a key to sign packages with: FILE is yours alone, FILE.pub is for everybody who installs them."""
    from trellis.packaging.keys import BadKey, make_key, public_file, read_public

    try:
        if show:
            public = read_public(public_file(file).read_text("utf-8"))
        else:
            asked = name or click.prompt("Who signs (your company's name)")
            word = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True) if passphrase else ""
            public = make_key(file, asked, word).public
            click.echo(f"{file} is your key: keep it, keep it secret, and keep a copy.")
            click.echo(f"{public_file(file)} is for others; `trellis template trust {public_file(file)}` trusts it.")
    except BadKey as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(public))
    click.echo(f"fingerprint {public.fingerprint}")


@click.command("pack")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="The file or folder; default: NAME-VERSION here.")
@click.option("--sign", type=FILE, help="Sign it with this key (`trellis template key`).")
@click.option("--force", is_flag=True, help="Write over a package of this version that says something else.")
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder with the core's schemas/."
)
def pack(path: Path, out: Path | None, sign: Path | None, force: bool, root: Path | None) -> None:
    """Make one file of the template in PATH, for others to install. The same content always gives the same bytes."""
    from trellis.config.report import WRITERS
    from trellis.packaging.manifest import manifest
    from trellis.packaging.package import build, file_name

    checked = checked_folder(workspace_at(path, root), path)
    errors = [problem for problem in checked.problems if problem.is_error]
    if errors:
        click.echo(WRITERS["text"](errors, checked.sources), err=True)
        raise click.ClickException("what does not check is not packed")
    said = manifest(checked.layers[-1])
    target = out / file_name(said) if out is not None and out.is_dir() else out or Path(file_name(said))
    data = build(said, checked.contents.files, _signing_key(sign) if sign is not None else None)
    if target.exists() and target.read_bytes() != data and not force:
        raise click.ClickException(
            f"{target} is there, with another content: raise `version` in template.yaml, for whoever has "
            f"{said.version} would not get what is new (--force writes over it)"
        )
    target.write_bytes(data)
    for name in checked.contents.left:
        click.echo(f"not part of it: {name}", err=True)
    advice = len(checked.problems)
    if advice:
        click.echo(f"{advice} advice: `trellis template check {path}`", err=True)
    signed = "signed" if sign is not None else "not signed (--sign KEYFILE)"
    click.echo(f"{target}: {said.title}, {len(checked.contents.files)} files, {len(data) / 1000:.0f} kB, {signed}")


def _signing_key(file: Path) -> SigningKey:
    from trellis.packaging.keys import BadKey, read_key

    try:
        try:
            return read_key(file, os.environ.get(PASSPHRASE))
        except TypeError:  # it is locked
            return read_key(file, click.prompt(f"Passphrase of {file}", hide_input=True))
    except BadKey as error:
        raise click.ClickException(str(error)) from error


@click.command("show")
@click.argument("file", type=FILE)
@click.option("--files", is_flag=True, help="List its files, too.")
def show(file: Path, files: bool) -> None:
    """Show what the package FILE is, who signed it, what is in it and what it asks for. Nothing is installed."""
    from trellis.packaging.reach import reach

    package = read(file)
    said = package.manifest
    click.secho(f"{said.label}: {said.title}", bold=True)
    if said.description:
        click.echo(f"  {said.description}")
    needs = ", ".join(f"{name} {wanted}" for name, wanted in said.requires.items()) or "nothing said"
    rows = [
        ("by", said.author or "nobody says"),
        ("licence", said.license or "none said"),
        ("signed by", _signer(package)),
        ("needs", needs + (f"; builds on {said.builds_on}" if said.builds_on else "")),
        ("languages", ", ".join(said.languages) or "en"),
        ("settings", ", ".join(said.settings) or "none"),
        ("made with", f"Trellis {package.made_with}"),
        ("content", f"sha256:{package.digest}"),
    ]
    for word, text in rows:
        click.echo(f"  {word:10} {text}")
    for kind, keys in sorted(package.documents().items()):
        if kind not in ("template", "test"):
            click.echo(f"  {kind:10} {', '.join(keys)}")
    tests = len(package.scenarios())
    click.echo(f"  {'scenarios':10} {tests}")
    click.echo(f"  {'reach':10} {', '.join(reach(package)) or 'nothing beyond its own records'}")
    for name, data in sorted(package.files.items()) if files else ():
        click.echo(f"  {len(data):>9} {name}")


def _signer(package: Package) -> str:
    from trellis.web.settings import Settings

    if package.signer is None:
        return "nobody"
    trusted = _trusted(Settings.from_environment().templates).has(package.signer)
    return f"{package.signer.name} ({package.signer.fingerprint}), {'trusted' if trusted else 'not trusted'} here"


@click.command("trust")
@click.argument("key", required=False)
@click.option("--remove", is_flag=True, help="Trust it no longer; KEY is its name or the beginning of its fingerprint.")
def trust(key: str | None, remove: bool) -> None:
    """Trust KEY, a file FILE.pub or its text: packages that it has signed may be installed. Without KEY: list them."""
    from trellis.packaging.keys import BadKey, read_public
    from trellis.web.settings import Settings

    trusted = _trusted(Settings.from_environment().templates)
    try:
        if key is None:
            for known in trusted.all():
                click.echo(f"{known.fingerprint}  {known.name}")
            if not trusted.all():
                click.echo("No key is trusted yet: trellis template trust FILE.pub")
        elif remove:
            click.echo(f"{trusted.remove(key).name} is not trusted any more; what is installed stays.")
        else:
            added = read_public(Path(key).read_text("utf-8") if Path(key).is_file() else key)
            trusted.add(added)
            click.echo(f"{added.name} ({added.fingerprint}) is trusted.")
    except BadKey as error:
        raise click.ClickException(str(error)) from error


def _trusted(store: Path) -> TrustedKeys:
    from trellis.packaging.keys import TrustedKeys
    from trellis.packaging.store import KEYS

    return TrustedKeys(store / KEYS)


def read(file: Path) -> Package:
    """Read a package, or say what is wrong with it."""
    from trellis.packaging.contents import Unpackable
    from trellis.packaging.reading import read_package

    try:
        return read_package(file)
    except Unpackable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


COMMANDS = (key, pack, show, trust)
