"""The pages. Each is a Flask-AppBuilder view that is registered once in every tenant's app and reads the Model."""

from __future__ import annotations

from flask_appbuilder import BaseView

from trellis.web.pages.account import AccountView
from trellis.web.pages.frame import FrameView

PAGES: tuple[type[BaseView], ...] = (
    AccountView,
    FrameView,
)
