"""The pages. Each is a Flask-AppBuilder view that is registered once in every tenant's app and reads the Model."""

from __future__ import annotations

from flask_appbuilder import BaseView

from trellis.web.pages.access import AccessView
from trellis.web.pages.account import AccountView
from trellis.web.pages.addresses import AddressView
from trellis.web.pages.approvals import ApprovalsView
from trellis.web.pages.approvals_by_mail import ApprovalsByMailView
from trellis.web.pages.audit import AuditView
from trellis.web.pages.automation import AutomationView
from trellis.web.pages.batches import BatchesView
from trellis.web.pages.bin import BinView
from trellis.web.pages.board import BoardView
from trellis.web.pages.bulk import BulkView
from trellis.web.pages.buttons import ButtonsView
from trellis.web.pages.conversions import ConversionsView
from trellis.web.pages.convert import ConvertView
from trellis.web.pages.dashboard_mail import DashboardMailView
from trellis.web.pages.dashboards import DashboardsView
from trellis.web.pages.deletion import DeletionView
from trellis.web.pages.duplicates import DuplicatesView
from trellis.web.pages.elsewhere import ElsewhereView
from trellis.web.pages.factor import FactorView
from trellis.web.pages.field import FieldView
from trellis.web.pages.files import FilesView
from trellis.web.pages.filters import FilterView
from trellis.web.pages.form import FormView
from trellis.web.pages.form_entries import FormEntriesView
from trellis.web.pages.frame import FrameView
from trellis.web.pages.hooks import HooksView
from trellis.web.pages.import_ import ImportView
from trellis.web.pages.jobs import JobsView
from trellis.web.pages.keys import KeysView
from trellis.web.pages.letters import LettersView
from trellis.web.pages.lines import LinesView
from trellis.web.pages.links import LinksView
from trellis.web.pages.list import ListView
from trellis.web.pages.mentions import MentionsView
from trellis.web.pages.merge import MergeView
from trellis.web.pages.messages import MessagesView
from trellis.web.pages.notices import NoticesView
from trellis.web.pages.opting_out import OptOutView
from trellis.web.pages.own_dashboards import OwnDashboardsView
from trellis.web.pages.palette import PaletteView
from trellis.web.pages.papers import PapersView
from trellis.web.pages.past import PastView
from trellis.web.pages.picker import PickerView
from trellis.web.pages.pins import PinsView
from trellis.web.pages.pools import PoolsView
from trellis.web.pages.portal import PortalView
from trellis.web.pages.privacy import PrivacyView
from trellis.web.pages.profile import ProfileView
from trellis.web.pages.record import RecordView
from trellis.web.pages.related import RelatedView
from trellis.web.pages.report_builder import ReportBuilderView
from trellis.web.pages.report_mail import ReportMailView
from trellis.web.pages.report_records import ReportRecordsView
from trellis.web.pages.report_runs import ReportRunsView
from trellis.web.pages.reports import ReportsView
from trellis.web.pages.roles import RolesView
from trellis.web.pages.saved_views import SavedViewsView
from trellis.web.pages.scores import ScoresView
from trellis.web.pages.sequences import SequencesView
from trellis.web.pages.service_levels import ServiceLevelsView
from trellis.web.pages.settings import SettingsView
from trellis.web.pages.sharing import SharingView
from trellis.web.pages.stages import StagesView
from trellis.web.pages.timeline import TimelineView
from trellis.web.pages.tracing import TracingView
from trellis.web.pages.users import UsersView
from trellis.web.pages.variants import VariantsView
from trellis.web.pages.web_forms import WebFormsView

PAGES: tuple[type[BaseView], ...] = (
    AccountView,
    ElsewhereView,
    FactorView,
    LinksView,
    AccessView,
    AddressView,
    FrameView,
    UsersView,
    AuditView,
    AutomationView,
    ServiceLevelsView,
    ApprovalsView,
    ApprovalsByMailView,
    PoolsView,
    ScoresView,
    NoticesView,
    ButtonsView,
    HooksView,
    MessagesView,
    WebFormsView,
    OptOutView,
    TracingView,
    FormEntriesView,
    SettingsView,
    RolesView,
    JobsView,
    KeysView,
    PrivacyView,
    ProfileView,
    ListView,
    BoardView,
    FilterView,
    BulkView,
    DeletionView,
    SavedViewsView,
    BinView,
    BatchesView,
    ConvertView,
    ConversionsView,
    MentionsView,
    MergeView,
    DuplicatesView,
    ImportView,
    PaletteView,
    FieldView,
    FilesView,
    FormView,
    LettersView,
    LinesView,
    SequencesView,
    PapersView,
    PastView,
    PickerView,
    RecordView,
    RelatedView,
    ReportsView,
    DashboardsView,
    DashboardMailView,
    OwnDashboardsView,
    PinsView,
    VariantsView,
    ReportBuilderView,
    ReportMailView,
    ReportRecordsView,
    ReportRunsView,
    PortalView,
    SharingView,
    StagesView,
    TimelineView,
)
