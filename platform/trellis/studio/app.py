"""The studio's pages in a tenant's app."""

from __future__ import annotations

from flask import Flask


def add_studio(app: Flask) -> None:
    """Serve the studio from a tenant's app: an extension beside the API, so that web need not know of it."""
    from trellis.studio.pages.archive import ArchiveView
    from trellis.studio.pages.changes import ChangesView
    from trellis.studio.pages.editor import EditorView
    from trellis.studio.pages.explore import ExploreView
    from trellis.studio.pages.overview import ConfigurationView
    from trellis.studio.pages.preview import PreviewView
    from trellis.studio.pages.publish import PublishView
    from trellis.studio.pages.revisions import RevisionsView
    from trellis.studio.pages.words import WordsView

    views = (
        ConfigurationView,
        EditorView,
        WordsView,
        ExploreView,
        ChangesView,
        PreviewView,
        PublishView,
        RevisionsView,
        ArchiveView,
    )
    with app.app_context():
        for view in views:
            app.extensions["appbuilder"].add_view_no_menu(view)
