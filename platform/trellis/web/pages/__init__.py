"""The pages. Each is a Flask-AppBuilder view that is registered once in every tenant's app and reads the Model."""

from __future__ import annotations

from flask_appbuilder import BaseView

from trellis.web.pages.account import AccountView
from trellis.web.pages.bin import BinView
from trellis.web.pages.board import BoardView
from trellis.web.pages.bulk import BulkView
from trellis.web.pages.filters import FilterView
from trellis.web.pages.frame import FrameView
from trellis.web.pages.list import ListView
from trellis.web.pages.palette import PaletteView
from trellis.web.pages.saved_views import SavedViewsView

PAGES: tuple[type[BaseView], ...] = (
    AccountView,
    FrameView,
    ListView,
    BoardView,
    FilterView,
    BulkView,
    SavedViewsView,
    BinView,
    PaletteView,
)
