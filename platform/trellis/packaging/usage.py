"""Which tenants are built on which templates, as of what is live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.config.layer import layer_from_files
from trellis.config.workspace import manifest_of
from trellis.packaging.manifest import read_manifest

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue

# the manifests alone: a configuration may be megabytes, and there may be a thousand tenants
_MANIFESTS = """
SELECT t.slug, layer.at, layer.value #>> '{files,template.yaml}', layer.value #>> '{files,tenant.yaml}'
FROM trellis.tenants t
JOIN trellis.revisions r ON r.tenant = t.slug AND r.number = t.revision
CROSS JOIN LATERAL jsonb_array_elements(r.layers) WITH ORDINALITY AS layer(value, at)
ORDER BY t.slug, layer.at
"""


@dataclass(frozen=True)
class Use:
    """What a tenant is built on: its template, with the range that its manifest takes, and all versions below it."""

    slug: str
    template: str
    wanted: str
    versions: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version of the tenant's own template."""
        return self.versions.get(self.template, "")


def uses(catalogue: Catalogue) -> list[Use]:
    """What every tenant is built on, by slug."""
    versions: dict[str, dict[str, str]] = {}
    pins: dict[str, tuple[str, str]] = {}
    with catalogue.database.engine.begin() as connection:
        for slug, _, template, tenant in connection.exec_driver_sql(_MANIFESTS).all():
            found = versions.setdefault(slug, {})
            if template:
                document = manifest_of(layer_from_files(slug, {"template.yaml": template}))
                if document is not None and document.kind == "template":
                    found[document.key] = read_manifest(document).version
            if tenant:
                document = manifest_of(layer_from_files(slug, {"tenant.yaml": tenant}))
                place = document.place.children.get("template") if document is not None else None
                name, _, wanted = (place.raw or "" if place is not None else "").partition(" ")
                pins[slug] = (name, wanted.strip())
    return [Use(slug, *pins.get(slug, ("", "")), found) for slug, found in versions.items()]
