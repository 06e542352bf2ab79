"""The apps of the tenants that are in use: built when first asked for, kept while they are, replaced whole."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from flask import Flask

from trellis.storage.catalogue import NoSuchTenant
from trellis.storage.upgrade import up_to_date
from trellis.web.app import Extension, create_tenant_app
from trellis.web.metrics import APPS, BUILDS

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.web.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class Built:
    """A tenant as this process serves it; `app` is None while the tenant is closed."""

    slug: str
    label: str
    status: str
    revision: int
    app: Flask | None


class Apps:
    """Apps by slug, the ones used last kept. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue, settings: Settings, extensions: Sequence[Extension] = ()) -> None:
        self.catalogue = catalogue
        self.settings = settings
        self.extensions = tuple(extensions)
        self._built: OrderedDict[str, Built] = OrderedDict()
        self._guard = threading.Lock()
        self._builders: dict[str, threading.Lock] = {}

    def get(self, slug: str) -> Built | None:
        """The tenant's app, built now if it is not there yet; None when there is no such tenant."""
        with self._guard:
            if (built := self._built.get(slug)) is not None:
                self._built.move_to_end(slug)
                return built
            builder = self._builders.setdefault(slug, threading.Lock())
        with builder:
            with self._guard:
                if (built := self._built.get(slug)) is not None:
                    return built
            return self._build(slug)

    def refresh(self, slug: str, revision: int | None = None) -> Built | None:
        """Build the app anew and put it in the old one's place; whoever the old one is answering is not disturbed."""
        with self._guard:
            old = self._built.get(slug)
            builder = self._builders.setdefault(slug, threading.Lock())
        if old is None:
            return None
        with builder:
            try:
                return self._build(slug)
            except Exception:
                # the last good one goes on serving
                log.exception("tenant app not replaced", tenant=slug, revision=revision)
                return old

    def newer(self, than: Built) -> Built | None:
        """The app that has taken the place of one that failed; None when nothing has changed since."""
        with self._guard:
            builder = self._builders.setdefault(than.slug, threading.Lock())
        with builder:
            with self._guard:
                known = self._built.get(than.slug)
            try:
                if than.app is not None:
                    than.app.extensions["trellis"].tenant.wait_for_apply()
                entry = self.catalogue.entry(than.slug)
                known = known or than
                if (entry.revision, entry.status) != (known.revision, known.status):
                    known = self._build(than.slug)
            except Exception:
                log.exception("tenant app not replaced", tenant=than.slug)
                return None
        return None if known is than else known

    def refresh_all(self) -> None:
        """Replace what has changed while we could not listen."""
        entries = {entry.slug: entry for entry in self.catalogue.list()}
        with self._guard:
            built = list(self._built.values())
        for one in built:
            entry = entries.get(one.slug)
            if entry is None or (entry.revision, entry.status) != (one.revision, one.status):
                self.refresh(one.slug)

    def forget(self, slug: str) -> None:
        """Leave a tenant's app to the garbage collector."""
        with self._guard:
            self._built.pop(slug, None)
            self._builders.pop(slug, None)
            APPS.set(len(self._built))

    def _build(self, slug: str) -> Built | None:
        began = time.perf_counter()
        try:
            entry = self.catalogue.entry(slug)
        except NoSuchTenant:
            self.forget(slug)
            return None
        app = None
        if entry.status == "active":
            tenant = up_to_date(self.catalogue, slug)
            entry = replace(entry, revision=tenant.revision)
            app = create_tenant_app(tenant, self.settings, self.catalogue, self.extensions)
        built = Built(slug, entry.label, entry.status, entry.revision, app)
        with self._guard:
            self._built[slug] = built
            self._built.move_to_end(slug)
            while len(self._built) > self.settings.kept_apps:
                self._built.popitem(last=False)
            APPS.set(len(self._built))
        seconds = time.perf_counter() - began
        BUILDS.observe(seconds)
        log.info(
            "tenant app built", tenant=slug, revision=entry.revision, status=entry.status, ms=round(seconds * 1000)
        )
        return built
