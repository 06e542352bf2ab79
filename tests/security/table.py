"""Who may do what: one line for each address of a tenant's app, one row for each class of addresses.

A new page or operation needs a line in ROUTES: its endpoint, its class (a row of CLASSES), and how to ask for it so
that it does what it is for. The tests in this folder fail with the line to add.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from typing import Any

# What may come of a request:
#   yes     it is done
#   no      403: the person sees the record and may not do this; or may not do it with any record
#   gone    404: as if there were no such record, page, entity
#   away    sent to the sign-in page, or 401
#   blank   it is answered, and neither shows the owner's record nor changes anything
# A slash: either. Nobody's requests change a thing, unless they are answered with yes.

OUT = ("nobody", "other_tenant", "ended", "deactivated")
"""No session; one of the other tenant's administrator; one that was ended; one of a person who is switched off."""

IN = ("outsider", "viewer", "colleague", "owner", "admin")
"""A role without any grant; a role that reads everything; two people with the same role, which reaches their own
records, of whom the second owns the record that is asked for; an administrator."""

CLASSES: dict[str, tuple[str, ...]] = {
    # pages:          outsider     viewer   colleague  owner  admin
    "public":        ("yes",       "yes",   "yes",     "yes", "yes"),   # and for people outside, too
    "person":        ("yes",       "yes",   "yes",     "yes", "yes"),   # whoever is signed in
    "admin":         ("no",        "no",    "no",      "no",  "yes"),
    "api":           ("no",        "yes",   "yes",     "yes", "yes"),   # the right “api”
    "about":         ("no/gone",   "yes",   "yes",     "yes", "yes"),   # is about an entity, and shows no record
    "entity":        ("no/gone",   "yes",   "blank",   "yes", "yes"),   # reads an entity's records
    "record":        ("no/gone",   "yes",   "gone",    "yes", "yes"),   # reads a record
    "create":        ("no/gone",   "no",    "yes",     "yes", "yes"),
    "change":        ("no/gone",   "no",    "gone",    "yes", "yes"),   # update, delete, restore, convert, … a record
    "batch":         ("gone",      "gone",  "gone",    "yes", "yes"),   # many changes that somebody made
    "many":          ("no/gone",   "no",    "blank/gone",   "yes", "yes"),   # the same with what is selected in a list
    "report":        ("no",        "no",    "blank",   "yes", "yes"),   # the right “reports”
    "reports":       ("no",        "no",    "yes",   "yes", "yes"),   # the same, to save what is one's own
    "export":        ("no/gone",   "no",    "blank",   "yes", "yes"),
    "import":        ("no/gone",   "no",    "blank",   "yes", "yes"),
}  # fmt: skip

PROGRAMS = (
    "nobody", "wrong", "other_tenant", "other_cookie", "expired", "revoked", "deactivated", "elsewhere",
    "outsider", "narrow", "reader", "viewer", "colleague", "owner", "admin",
)  # fmt: skip
"""Programs: without a key; with a key that there is not; the key, and the cookie, of the other tenant's administrator;
an expired and a revoked key of an administrator; the key of one who is switched off; a key from an address that it is
not for; of a role without the API; of the owner, for another entity only; of the owner, for reading only; and one key
each of the people above."""

OPERATIONS: dict[str, tuple[str, ...]] = {
    # api:            narrow       reader   viewer     colleague  owner  admin
    "anyone":        ("yes",       "yes",   "yes",     "yes",     "yes", "yes"),   # whoever may use the API
    "admin":         ("no",        "no",    "no",      "no",      "no",  "yes/blank"),
    "about":         ("gone",      "yes",   "yes",     "yes",     "yes", "yes"),
    "entity":        ("gone",      "yes",   "yes",     "blank",   "yes", "yes"),
    "record":        ("gone",      "yes",   "yes",     "gone",    "yes", "yes"),
    "create":        ("gone",      "no",    "no",      "yes",     "yes", "yes"),
    "change":        ("gone",      "no",    "no",      "gone",    "yes", "yes"),
    "many":          ("gone",      "blank/no", "blank/no", "blank", "yes", "yes"),  # an outcome for each row
    "report":        ("gone/blank", "yes",  "no",      "blank",   "yes", "yes"),   # the right “reports”
    "reports":       ("gone/blank", "yes",  "no",      "yes",     "yes", "yes"),   # … to let one run
    "export":        ("gone",      "no",    "no",      "blank",   "yes", "yes"),
}  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """An address: its class, and how it is asked for. `{id}` and the like stand for what the world holds."""

    kind: str
    args: Mapping[str, str] = dc_field(default_factory=dict)  # of the address, beside the usual ones
    query: Mapping[str, str] = dc_field(default_factory=dict)
    form: Mapping[str, Any] = dc_field(default_factory=dict)  # what a POST sends
    json: Any = None
    get: str = ""  # another class for GET
    bare: str = ""  # another class where the address names no record
    needs_token: bool = True  # False: asked by programs that cannot have one; say why beside it
    also: tuple[int, ...] = ()  # further statuses that count as “yes”: what was asked for is refused by its own rules
    script: bool = False  # asked for by a script of ours, not as a page
    file: str = ""  # the part of the form that is a file

    def kind_of(self, method: str, arguments: Collection[str]) -> str:
        """The class of one of the addresses."""
        if self.bare and "id" not in arguments:
            return self.bare
        return self.get if method == "GET" and self.get else self.kind

    def on(self, entity: str, **args: str) -> Ask:
        """The same for another entity."""
        return replace(self, args={"entity": entity, **args})


ONE = {"ids": "{id}"}
PERSON, ADMIN, PUBLIC = Ask("person"), Ask("admin"), Ask("public")
ABOUT, ENTITY, RECORD, CHANGE, MANY = Ask("about"), Ask("entity"), Ask("record"), Ask("change"), Ask("many")

HOOK = Ask("admin", args={"id": "{nothing}", "message": "{nothing}"}, also=(404,))

ROUTES: dict[str, Ask] = {
    # home, sign-in, one's own settings
    "HomeView.index": PERSON,
    "HomeView.today": PERSON,
    "AccountView.sign_in": Ask("public", also=(422, 429)),
    "AccountView.sign_out": PUBLIC,
    "LinksView.forgot": PUBLIC,
    "LinksView.invite": Ask("public", args={"secret": "none"}, also=(404, 410)),
    "LinksView.reset": Ask("public", args={"secret": "none"}, also=(404, 410)),
    "ElsewhereView.oauth": Ask("public", args={"key": "none"}, also=(404,)),
    "ElsewhereView.oauth_back": Ask("public", args={"key": "none"}, also=(404,)),
    "ElsewhereView.saml": Ask("public", args={"key": "none"}, also=(404,)),
    "ElsewhereView.saml_back": Ask("public", args={"key": "none"}, also=(404,)),
    "ElsewhereView.metadata": Ask("public", args={"key": "none"}, also=(404,)),
    # posted by the provider's page: it has to answer a request that was begun here instead
    "ElsewhereView.acs": Ask("public", args={"key": "none"}, needs_token=False, also=(404,)),
    "FactorView.code": PUBLIC,  # between password and code: whoever is not there goes back to the beginning
    "FactorView.set_up": PUBLIC,
    "FactorView.own": Ask("person", also=(422,)),
    "FactorView.codes": Ask("person", also=(422,)),
    "FactorView.off": Ask("person", also=(422,)),
    "AccountView.language": Ask("public", args={"tag": "en"}),
    # nobody is signed in there, and nothing is done in the name of who is: a signed ticket stands in the page
    "WebFormsView.form": Ask("public", args={"key": "none"}, needs_token=False, also=(404,)),
    "WebFormsView.thanks": Ask("public", args={"key": "none"}, also=(404,)),
    "WebFormsView.confirm": Ask("public", args={"key": "none", "secret": "none"}, needs_token=False, also=(404,)),
    "WebFormsView.fields": Ask("public", args={"key": "none"}, also=(404,)),
    # posted by mail programs; the link itself says whose address it is
    "OptOutView.leave": Ask("public", args={"token": "none"}, needs_token=False, also=(410,)),
    # asked for by whoever reads a letter
    # posted by gateways; what they send is signed
    "MessagesView.receive": Ask("public", args={"channel": "sms"}, needs_token=False, also=(404,)),
    "TracingView.picture": Ask("public", args={"token": "none"}),
    "TracingView.follow": Ask("public", args={"token": "none", "number": "0"}, also=(410,)),
    "WebFormsView.entries": Ask("public", args={"key": "none"}, needs_token=False, also=(404,)),
    "LettersView.write": Ask("record", also=(403,)),
    "SequencesView.sequences": Ask("change", form={"do": "enrol", "sequence": "none"}, get="record", also=(400,)),
    "AddressView.address": PERSON,
    "FrameView.offline": PUBLIC,
    "FrameView.theme": PUBLIC,
    "FrameView.worker": PUBLIC,
    "ApprovalsByMailView.confirm": Ask("public", args={"secret": "none"}, also=(404, 409)),
    "ProfileView.notices": PERSON,
    "ProfileView.profile": Ask("person", form={"language": "en"}),
    "ProfileView.theme": Ask("person", form={"theme": "dark"}),
    "ProfileView.password": Ask("person", also=(422,)),
    "ProfileView.sign_out_elsewhere": PERSON,
    "ProfileView.sign_out": Ask("person", also=(404,)),
    "PaletteView.search": Ask("person", query={"q": "Mine"}),
    "PaletteView.recent": Ask("person", form={"place": "account/"}),
    "PaletteView.keys": PERSON,
    "SettingsView.hub": PERSON,
    "KeysView.keys": Ask("api", form={"name": "key"}),
    "KeysView.revoke": Ask("api", args={"id": "{nothing}"}, also=(404,)),
    "KeysView.rotate": Ask("api", args={"id": "{nothing}"}, also=(404,)),
    "ReferenceView.reference": Ask("api"),
    # administration
    "AccessView.access": ADMIN,
    "UsersView.users": ADMIN,
    "UsersView.new": Ask("admin", form={"name": "N", "email": "n{n}@x.example", "roles": "viewer"}),
    "UsersView.edit": Ask("admin", args={"id": "{person}"}, form={"name": "Vera"}),
    "UsersView.link": Ask("admin", args={"id": "{person}"}),
    "UsersView.sign_out": Ask("admin", args={"id": "{person}"}),
    "UsersView.factor_off": Ask("admin", args={"id": "{person}"}),
    "UsersView.unlink": Ask("admin", args={"id": "{person}"}),
    "UsersView.unlock": Ask("admin", args={"id": "{person}"}),
    "RolesView.roles": Ask("admin", args={"key": "seller"}),
    "JobsView.jobs": ADMIN,
    "JobsView.retry": ADMIN,
    "JobsView.discard": ADMIN,
    "WebhooksView.webhooks": ADMIN,
    "WebhooksView.new": Ask("admin", also=(422,)),
    **{f"WebhooksView.{name}": HOOK for name in ("webhook", "edit", "message", "test", "pause", "resume", "rotate")},
    "WebhooksView.delete": HOOK,
    "WebhooksView.replay": HOOK,
    "AuditView.audit": ADMIN,
    # data of persons: an entity of none is nothing there
    "PrivacyView.show": Ask("admin", also=(404,)),
    "PrivacyView.export": Ask("admin", also=(404,)),
    "PrivacyView.decide": Ask("admin", form={"state": "hold", "on": "1", "reason": "x"}, also=(404,)),
    "PrivacyView.erase": Ask("admin", also=(404, 422)),
    "AutomationView.index": ADMIN,
    "ServiceLevelsView.index": ADMIN,
    "AutomationView.workflow": Ask("admin", args={"key": "none"}, also=(404,)),
    "AutomationView.pause": Ask("admin", args={"key": "none"}, also=(404,)),
    "AutomationView.resume": Ask("admin", args={"key": "none"}, also=(404,)),
    "AutomationView.attempt": Ask("admin", args={"key": "none"}, also=(404,)),
    "AutomationView.run": Ask("admin", args={"id": "{nothing}"}, also=(404,)),
    "AutomationView.steer": Ask("admin", args={"id": "{nothing}", "what": "cancel"}),
    "AutomationView.of_record": ADMIN,
    "FormEntriesView.accept": Ask("admin", args={"key": "none", "id": "{nothing}"}, also=(404,)),
    "FormEntriesView.drop": Ask("admin", args={"key": "none", "id": "{nothing}"}, also=(404,)),
    "NoticesView.index": PERSON,
    "NoticesView.count": PERSON,
    "NoticesView.stream": PUBLIC,  # 204 without a person: a stream cannot show a sign-in page
    "NoticesView.read_all": PERSON,
    "NoticesView.follow": Ask("person", args={"id": "{nothing}"}, also=(404,)),
    "ApprovalsView.index": PERSON,
    "ApprovalsView.decide": Ask("person", args={"id": "{nothing}"}, form={"_outcome": "approved"}, also=(409,)),
    "ApprovalsView.recall": Ask("person", args={"run": "{nothing}"}),
    "ApprovalsView.urge": Ask("person", args={"run": "{nothing}"}),
    # signed, and never by a browser: without a signature it takes nothing
    "HooksView.receive": Ask("public", args={"key": "none"}, also=(404,), needs_token=False),
    "ButtonsView.press": Ask("record", args={"key": "press"}),
    "PoolsView.index": PERSON,
    "ScoresView.why": Ask("record", args={"field": "heat"}),
    "PoolsView.claim": Ask("many", args={"key": "desk"}, form={"ids": "{lead}"}),
    "PoolsView.assign": Ask("many", args={"key": "desk"}, form={"ids": "{lead}", "to": "{guest}"}),
    "PoolsView.give_back": CHANGE.on("lead", id="{lead}"),
    "PoolsView.lock": Ask("change", args={"entity": "lead", "id": "{lead}"}, form={"on": "1"}),
    "MentionsView.offer": RECORD,
    "MentionsView.follow": RECORD,
    "PapersView.ask": Ask("record", args={"key": "paper"}),
    "PapersView.show": Ask("record", args={"key": "paper"}),
    "PapersView.keep": Ask("change", args={"key": "paper"}),
    "AuditView.check": ADMIN,
    "AuditView.export": ADMIN,
    # the configuration in the browser; what a person changes is a draft of theirs
    "ConfigurationView.overview": ADMIN,
    "EditorView.edit": ADMIN,
    "EditorView.draft": Ask("admin", json={"path": "schemas/x.yaml", "text": "# {n}", "version": 0}, also=(409,)),
    "EditorView.add": Ask("admin", form={"folder": "schemas", "name": "new-{n}"}),
    "EditorView.delete": Ask("admin", form={"path": "schemas/test.yaml"}, also=(404,)),
    "EditorView.discard": Ask("admin", form={"path": ""}),
    "WordsView.words": ADMIN,
    "ExploreView.explore": ADMIN,
    "ExploreView.overlay": Ask("admin", form={"document": "entity.account", "path": "label"}, also=(404, 422)),
    "ChangesView.gallery": ADMIN,
    "ChangesView.change": Ask("admin", args={"key": "add-field"}, also=(422,)),
    "PreviewView.preview": ADMIN,
    "PublishView.publish": Ask("admin", also=(422,)),
    "PublishView.merge": ADMIN,
    "PublishView.done": Ask("admin", args={"number": "1"}),
    "PublishView.progress": ADMIN,
    "PublishView.publishing": Ask("admin", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    "PublishView.publishing_state": Ask("admin", args={"id": "01900000-0000-7000-8000-000000000000"}),
    "PublishView.cancel": Ask("admin", args={"id": "01900000-0000-7000-8000-000000000000"}),
    "RevisionsView.revisions": ADMIN,
    "RevisionsView.compare": ADMIN,
    "RevisionsView.back": Ask("admin", args={"number": "1"}, also=(422,)),
    "ArchiveView.download": ADMIN,
    "ArchiveView.upload": Ask("admin", also=(422,)),
    "SettingsView.schema": Ask("admin", args={"name": "entity"}),
    # lists
    "ListView.index": ENTITY,
    "ListView.rows": ENTITY,
    "ListView.count": ENTITY,
    "ListView.totals": ENTITY,
    "ListView.peek": RECORD,
    "BoardView.heads": Ask("entity", query={"view": "board"}),
    "BoardView.lane": Ask("entity", query={"view": "board", "lane": "new"}),
    "BoardView.move": Ask("change", query={"view": "board"}, form={"to": "done", "_tick": "new.asked"}),
    "FilterView.build": Ask("about", form={"state": "", "chip": "", "do": "apply", "where": 'name == "x"'}),
    "FilterView.check": Ask("about", form={"where": 'name == "x"'}),
    "FilterView.pick": Ask("about", query={"path": "name"}),
    "SavedViewsView.save": Ask("about", form={"do": "save", "label": "My view {n}", "state": ""}),
    "SavedViewsView.view": ABOUT,
    "SavedViewsView.sort": ABOUT,
    "SavedViewsView.group": ABOUT,
    "SavedViewsView.columns": ABOUT,
    "BulkView.edit": Ask("many", form={**ONE, "field": "city", "city": "Kiel"}, query={"field": "city"}),
    "BulkView.delete": Ask("many", form=ONE),
    "BulkView.restore": Ask("many", form=ONE),
    "BulkView.export": Ask("export", form=ONE),
    "BulkView.export_lines": Ask("export", args={"name": "lines"}),
    "DeletionView.many": Ask("many", form=ONE),
    "DeletionView.one": CHANGE,
    "BinView.index": Ask("many"),
    "BinView.restore": Ask("change", args={"id": "{gone}"}),
    "BinView.restore_many": Ask("many", form={"id": "{gone}"}),
    "BinView.purge": Ask("change", args={"id": "{gone}"}),
    "BinView.purge_many": Ask("many", form={"id": "{gone}"}),
    "BatchesView.index": PERSON,
    "BatchesView.undo": Ask("batch", args={"id": "{batch}"}),
    # records
    "RecordView.show": RECORD,
    "RecordView.delete": Ask("change", args={"id": "{second}"}),
    "RecordView.restore": Ask("change", args={"id": "{gone}"}),
    "FormView.new": Ask("create", form={"name": "New {n}", "_has": "name"}),
    "FormView.edit": Ask("change", form={"name": "Changed {n}", "_has": "name"}),
    "FormView.state": Ask("record", bare="about"),
    "FieldView.field": Ask("change", args={"field": "city"}, form={"city": "Kiel"}),
    "FieldView.understand": Ask("about", args={"field": "founded"}, form={"founded": "tomorrow"}),
    "FilesView.download": Ask("record", args={"field": "scan", "file": "{file}"}),
    "FilesView.upload": Ask("create", args={"field": "scan"}, file="file"),
    "LinesView.edit": Ask("change", args={"name": "lines"}, form={}),
    "LinesView.paste": Ask("about", args={"name": "lines"}, form={"text": "a", "column": "name"}),
    "PastView.pane": Ask("record", script=True),
    "PastView.restore": Ask("change", form={"field": "city"}),
    "PickerView.pick": ENTITY,
    "PickerView.pick_field": Ask("entity", args={"entity": "contact", "field": "account"}),
    "PickerView.pick_tags": Ask("entity", args={"field": "labels"}),
    "RelatedView.counts": RECORD,
    "RelatedView.related": Ask("record", args={"name": "contacts"}),
    "RelatedView.link": Ask("change", args={"name": "friend_of"}, form={"target": "{second}"}),
    "RelatedView.unlink": Ask("change", args={"name": "friend_of"}, form={"target": "{fan}"}),
    "RelatedView.link_column": Ask(
        "change",
        args={"name": "friend_of", "target": "{id}", "column": "since", "id": "{friend}"},
        form={"since": "2026-01-01"},
    ),
    "StagesView.move": Ask("change", args={"field": "stage"}, form={"to": "done", "_tick": "new.asked"}),
    "StagesView.check": Ask("change", args={"field": "checklist"}, form={"item": "new.asked"}),
    "StagesView.stays": Ask("record", args={"field": "stage"}),
    "TimelineView.timeline": RECORD,
    "TimelineView.history": RECORD,
    "TimelineView.compose": Ask("change", args={"kind": "note"}, form={"text": "Hello", "_has": "text"}),
    "SharingView.sharing": Ask("change", get="record", form={"whom": "user:{guest}"}),
    "SharingView.change": Ask("change", args={"share": "{share}"}, form={"level": "write"}),
    "SharingView.end": Ask("change", args={"share": "{share}"}),
    "SharingView.pick": CHANGE,
    "PortalView.portal": Ask("admin", args={"id": "{contact}"}),
    "PortalView.again": Ask("admin", args={"id": "{contact}"}),
    # reports
    "ReportsView.index": Ask("report"),
    "ReportsView.report": Ask("report", args={"key": "names"}),
    "ReportsView.csv": Ask("report", args={"key": "names"}),
    "ReportsView.xlsx": Ask("report", args={"key": "names"}),
    "ReportBuilderView.new": Ask("reports"),
    "ReportBuilderView.create": Ask("reports", form={"label": "Built {n}", "entity": "account"}),
    "ReportBuilderView.build": Ask("report", form={"entity": "account"}),
    "ReportBuilderView.preview": Ask("report", form={"entity": "account"}),
    "ReportBuilderView.copy": Ask("report", args={"key": "names"}),
    "ReportBuilderView.edit": Ask("report", args={"key": "none"}, also=(404,)),
    "ReportBuilderView.update": Ask("report", args={"key": "none"}, also=(404,)),
    "ReportBuilderView.delete": Ask("report", args={"key": "none"}, also=(404,)),
    "ReportBuilderView.document": Ask("report", args={"key": "none"}, also=(404,)),
    "ReportBuilderView.unshare": Ask("admin", args={"key": "none"}, also=(404,)),
    "ReportMailView.mail": Ask("reports", args={"key": "names"}, form={"do": "subscribe", "when": "daily", "hour": 7}),
    # the link of a letter, posted by mail programs: it can end nothing but the mailing that it names
    "ReportMailView.stop": Ask("public", args={"token": "none"}, needs_token=False, also=(404,)),
    "ReportRecordsView.show": Ask("report", args={"key": "names"}, also=(404,)),  # of a report over one entity: none
    "ReportRunsView.index": Ask("reports"),
    "ReportRunsView.start": Ask("reports", args={"key": "names"}, form={"state": ""}),
    "ReportRunsView.show": Ask("report", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    "ReportRunsView.end": Ask("report", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    "VariantsView.change": Ask("reports", args={"key": "names"}, form={"label": "Mine"}),
    # dashboards: there for whoever may read something of them
    "DashboardsView.index": PERSON,
    "DashboardsView.show": Ask("about", args={"key": "board"}),
    "DashboardsView.widget": Ask("entity", args={"key": "board", "name": "names"}),
    "DashboardsView.arrange": Ask("about", args={"key": "board"}, json={"widgets": {}, "hidden": []}),
    "DashboardsView.reset": Ask("about", args={"key": "board"}),
    "OwnDashboardsView.create": Ask("reports", form={"label": "Made {n}"}),
    "OwnDashboardsView.gallery": Ask("reports", args={"key": "board"}),
    "OwnDashboardsView.preview": Ask("reports", args={"key": "board"}, form={"kind": "text", "text": "Hello"}),
    "OwnDashboardsView.save": Ask("reports", args={"key": "board"}, form={"kind": "text", "text": "Hello"}),
    "OwnDashboardsView.change": Ask("reports", args={"key": "none"}, form={"do": "delete"}, also=(404,)),
    "OwnDashboardsView.document": Ask("reports", args={"key": "none"}, also=(404,)),
    "PinsView.ask": Ask("reports", args={"key": "names"}),
    "PinsView.pin": Ask(
        "reports", args={"key": "names"}, form={"dashboard": "new", "name": "Made {n}", "kind": "table"}
    ),
    "DashboardMailView.form": Ask("about", args={"key": "board"}),
    "DashboardMailView.mail": Ask("about", args={"key": "board"}, form={"when": "daily", "hour": 7}),
    "DashboardsView.home": Ask("about", form={"key": "board"}),
    # conversion, merging, import
    "ConvertView.convert": Ask("change", args={"entity": "lead", "id": "{lead}"}),
    "ConversionsView.ask": Ask("many", args={"entity": "lead"}, form={"ids": "{lead}"}),
    "ConversionsView.convert": Ask("many", args={"entity": "lead"}, form={"ids": "{lead}"}),
    "MergeView.merge": Ask("change", query={"ids": "{id},{second}"}, form={"ids": "{id},{second}", "winner": "{id}"}),
    "MergeView.with_others": CHANGE,
    "MergeView.undo": Ask("change", args={"merge": "{merge}"}),
    "DuplicatesView.index": Ask("many"),
    "DuplicatesView.apart": Ask("many", form={"ids": ["{id}", "{second}"]}),
    "ImportView.start": Ask("import", file="file"),
    "ImportView.step": Ask("import", args={"token": "none"}, also=(404,)),
    "ImportView.outcome": Ask("import", args={"token": "none"}, also=(404,)),
    "api.list_dashboards": Ask("report"),
    "api.read_dashboard": Ask("report", args={"key": "board"}),
    "api.list_reports": Ask("report"),
    "api.read_report": Ask("report", args={"key": "names"}),
    "api.start_report_run": Ask("reports", args={"key": "names"}),
    "api.list_report_runs": Ask("report"),
    "api.read_report_run": Ask("report", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    "api.read_report_run_answer": Ask("report", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    "api.end_report_run": Ask("report", args={"id": "01900000-0000-7000-8000-000000000000"}, also=(404,)),
    # assistants (MCP), by keys only
    # assistants take keys only: a browser's session is worth nothing there
    "assistants.message": Ask("anyone", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, needs_token=False),
    "assistants.no_stream": Ask("anyone", also=(405,), needs_token=False),
    # the API
    "api.read_meta": Ask("anyone"),
    "api.openapi": Ask("anyone"),
    "api.list_webhooks": ADMIN,
    "api.create_webhook": Ask("admin", json={"name": "x"}, also=(422,)),
    "api.read_one_webhook": HOOK,
    "api.change_webhook": replace(HOOK, json={"name": "x"}),
    "api.delete_webhook": HOOK,
    "api.rotate_webhook": replace(HOOK, json={}),
    "api.test_webhook": HOOK,
    "api.list_messages": HOOK,
    "api.read_message": HOOK,
    "api.replay_webhook": replace(HOOK, json={"messages": []}),
    "api.read_entity": ABOUT,
    "api.list_views": ABOUT,
    "api.list_records": ENTITY,
    "api.read_record": RECORD,
    "api.read_history": RECORD,
    "api.create_record": Ask("create", json={"name": "Made {n}"}),
    "api.change_record": Ask("change", json={"city": "Kiel"}),
    "api.delete_record": Ask("change", args={"id": "{second}"}),
    "api.restore_record": Ask("change", args={"id": "{gone}"}),
    "api.bulk": Ask("many", json={"operation": "update", "rows": [{"id": "{id}", "city": "Kiel"}]}),
    "api.list_links": Ask("record", args={"name": "contacts"}),
    "api.add_link": Ask("change", args={"name": "friends"}, json={"id": "{second}"}),
    "api.remove_link": Ask("change", args={"name": "friends", "target": "{friend}"}),
    "api.list_shares": RECORD,
    "api.add_share": Ask("change", json={"with": {"entity": "user", "id": "{guest}"}}),
    "api.change_share": Ask("change", args={"share": "{share}"}, json={"level": "write"}),
    "api.end_share": Ask("change", args={"share": "{share}"}),
    "api.list_pools": ABOUT.on("lead"),
    "api.claim": Ask("many", args={"entity": "lead", "key": "desk"}, json={"ids": ["{lead}"]}),
    "api.assign": Ask("many", args={"entity": "lead", "key": "desk"}, json={"ids": ["{lead}"], "to": "{guest}"}),
    "api.release": Ask("change", args={"entity": "lead", "id": "{lead}"}, json={"reason": "Enough"}),
    "api.lock": Ask("change", args={"entity": "lead", "id": "{lead}"}, json={}),
    "api.unlock": CHANGE.on("lead", id="{lead}"),
    "api.move": Ask("change", json={"stage": "done", "checklist": ["asked"]}),
    "api.propose": Ask("change", args={"entity": "lead", "id": "{lead}"}),
    "api.paper": Ask("record", args={"document": "paper"}),
    "api.convert": Ask("change", args={"entity": "lead", "id": "{lead}"}, json={}),
    "api.merge": Ask("change", json={"losers": ["{second}"]}),
    "api.upload": Ask("create", args={"field": "scan"}, file="file"),
    "api.download": Ask("record", args={"field": "scan", "file": "{file}"}),
}
