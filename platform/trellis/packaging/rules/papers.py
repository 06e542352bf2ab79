"""Name, version, licence, README: what a buyer looks at first."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from trellis.config.problem import Problem
from trellis.config.versions import is_version
from trellis.packaging.requirements import unmet
from trellis.packaging.rules.registry import Subject, rule


@rule("name")
def name(subject: Subject) -> Iterator[Problem]:
    """The folder is called like the template, for that is where it is looked for."""
    path, key = subject.layer.path, subject.manifest.name
    if path is not None and path.name != key and not is_version(path.name):
        message = f"the folder is called {path.name}, the template {key}"
        yield Problem("W645", message, subject.mark("template"), "template", "tenants find it by its folder's name")


@rule("version")
def version(subject: Subject) -> Iterator[Problem]:
    """It has a semantic version."""
    if not is_version(subject.manifest.version):
        hint = "a semantic version has three numbers, such as 1.4.0"
        yield Problem(
            "E332", f"'{subject.manifest.version}' is no semantic version", subject.mark("version"), "version", hint
        )


@rule("licence")
def licence(subject: Subject) -> Iterator[Problem]:
    """Its licence is one that everybody means the same by."""
    said = subject.manifest.license
    if not said:
        hint = "license: Apache-2.0, or LicenseRef-Proprietary for terms of your own"
        yield Problem("W641", "nothing says under which licence it may be used", subject.mark(), "license", hint)
        return
    try:
        canonical = str(canonicalize_license_expression(said))
    except InvalidLicenseExpression:
        hint = "Apache-2.0, MIT, GPL-3.0-or-later, …; for terms of your own LicenseRef-<name>"
        yield Problem("E333", f"'{said}' is no SPDX licence", subject.mark("license"), "license", hint)
        return
    if canonical != said:
        yield Problem("W641", f"SPDX writes the licence as {canonical}", subject.mark("license"), "license")


@rule("readme")
def readme(subject: Subject) -> Iterator[Problem]:
    """It has a README, a label, a description and an author."""
    if not any(path.lower().startswith("readme") for path in subject.contents.files):
        yield Problem("W642", "there is no README.md", subject.mark(), "", "say who it is for and what is in it")
    manifest = subject.manifest
    for key in ("description", "author"):
        if not getattr(manifest, key):
            yield Problem("W642", f"the manifest has no {key}", subject.mark(), key, "`trellis template show` shows it")


@rule("requires")
def requires(subject: Subject) -> Iterator[Problem]:
    """What it requires is said, and is here."""
    for needed in ("trellis", "core"):
        if needed not in subject.manifest.requires:
            hint = 'requires: {trellis: ">=1.0", core: "^1"}'
            yield Problem("W646", f"nothing says which version of {needed} it needs", subject.mark(), "requires", hint)
    yield from unmet(subject.layers)
