"""Papers: what a template may say, what it shows to whom, and that it can neither hang nor reach anything."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pypdf import PdfReader
from tests.conftest import layers_of

from trellis.automation.documents import maker
from trellis.automation.documents.keeping import keep
from trellis.automation.documents.maker import Paper, language_of, make, offered
from trellis.config.layer import layer_from_files
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.compile import compile_layers
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.records.writing.files import save_file
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a730000001649444154789c63fccfc0c0c0c0c0c4c0c0c0c0c000"
    "000d1d01036ac29be90000000049454e44ae426082"
)
SCHEMA = """
entity: offer
label: Offer
title: number
fields:
  number: {type: text, required: true, label: Number}
  buyer: {type: text, label: Buyer}
  total: {type: money, label: Total}
  rate: {type: percent}
  due: {type: date, label: Due}
  kind: {type: choice, choices: [{big: {label: Big one}}, {small: {label: Small one}}]}
  cost: {type: money}
  language: {type: text}
  photo: {type: image}
  papers: {type: file, multiple: true, accept: [pdf]}
---
entity: offer_line
part_of: offer
title: name
fields:
  name: {type: text, required: true}
  amount: {type: money}
---
document: offer-pdf
label: Offer as PDF
entity: offer
body: offer.html
name: "Offer {{ number }}/{{ buyer }}"
footer: '{{ company.name }} "{{ number }}"'
language: =language
texts: {greeting: Good day}
---
document: plain
entity: offer
roles: boss
when: not is_blank(total)
body: |
  # Offer {{ number }}

  For **{{ buyer }}**.
---
role: rep
grants: {"*": {read: all, create: true, update: all}, offer: {read: all, fields: {cost: hidden}}}
---
role: boss
grants: {"*": {read: all}}
"""
TEMPLATE = """<h1>{{ label("") }} {{ number }}</h1>
<p>{{ text("greeting") }} {{ buyer }} {{ label("due") }}: {{ due }} {{ due | day("full") }} {{ kind }}
{% if kind == "big" %}yes{% endif %} {{ total }} {{ rate }} cost={{ cost or 'none' }}</p>
{% for line in lines %}<p>{{ loop.index }}. {{ line.name }} {{ line.amount }}</p>{% endfor %}
<p>sum {{ lines | sum(attribute="amount") }} twice {{ total * 2 }}</p>"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    chinese = {
        "entity.offer.label": "报价单",
        "entity.offer.fields.due.label": "到期日",
        "document.offer-pdf.texts.greeting": "您好",
    }
    files = {
        "schemas/offer.yaml": SCHEMA,
        "documents/offer.html": TEMPLATE,
        "i18n/zh-Hans.yaml": "".join(f"{path}: {text}\n" for path, text in chinese.items()),
    }
    made = catalogue.create("papers", layers_of(files, "papers"), "test")
    yield made
    catalogue.drop("papers")


@pytest.fixture(scope="module")
def system(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader()))


@pytest.fixture(scope="module")
def offer(system: Store) -> UUID:
    values = {
        "number": "A-7",
        "buyer": "<b>Tom & Söhne</b>",
        "total": "1234.50 EUR",
        "rate": 12,
        "due": "2026-03-01",
        "kind": "big",
        "cost": "777 EUR",
        "lines": [{"name": "Pump", "amount": "1000 EUR"}, {"name": "水泵", "amount": "234.50 EUR"}],
    }
    return system.create("offer", values).id


def person(tenant: Tenant, role: str) -> Store:
    """Somebody with a role."""
    id = UUID(int=7)
    reader = Reader(me=Ref("user", id), roles=frozenset({role}))
    return Store(tenant, Principal(reader, id=id, name="Ann", roles=frozenset({role})))


def made(store: Store, id: UUID, language: str = "", key: str = "offer-pdf", body: str | None = None) -> Paper:
    """A paper; with `body`, of another template."""
    from dataclasses import replace

    document = store.tenant.model.documents[key]
    if body is not None:
        document = replace(document, body=body)
    return make(store, document, id, files=None, language=language)


def words(paper: Paper) -> str:
    """What stands in it."""
    reader = PdfReader(io.BytesIO(paper.content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_a_paper_shows_the_values_as_a_person_reads_them(system: Store, offer: UUID) -> None:
    paper = made(system, offer)
    text = words(paper)
    for part in ("Offer A-7", "Good day", "<b>Tom & Söhne</b>", "Mar 1, 2026", "Sunday, March 1, 2026", "Big one yes"):
        assert part in text
    for part in ("€1,234.50", "12%", "1. Pump €1,000.00", "sum €1,234.50", "twice €2,469.00"):
        assert part in text
    assert paper.name == "Offer A-7 b Tom & Söhne b.pdf"
    assert 'Papers "A-7"' in text
    assert "1 / 1" in text


def test_chinese_is_drawn_with_a_font_that_has_it(system: Store, offer: UUID) -> None:
    paper = made(system, offer, "zh-Hans")
    text = words(paper)
    assert all(part in text for part in ("报价单 A-7", "您好", "到期日: 2026年3月1日", "水泵"))
    reader = PdfReader(io.BytesIO(paper.content))
    fonts = {str(f.get_object()["/BaseFont"]) for p in reader.pages for f in p["/Resources"]["/Font"].values()}
    assert all("NotoSansSC" in font for font in fonts)  # embedded, as a subset of its own
    assert all("+" in font for font in fonts)
    assert len(paper.content) < 100_000


def test_the_language_is_the_documents_own_else_the_readers(system: Store, offer: UUID) -> None:
    document = system.tenant.model.documents["offer-pdf"]
    assert language_of(system, document, offer) == "en"
    chinese = system.create("offer", {"number": "B", "language": "zh-CN"}).id
    assert language_of(system, document, chinese) == "zh-Hans"


def test_what_is_hidden_from_the_reader_is_not_in_the_paper(tenant: Tenant, system: Store, offer: UUID) -> None:
    assert "cost=€777.00" in words(made(system, offer))
    assert "cost=none" in words(made(person(tenant, "rep"), offer))


def test_roles_and_conditions_say_who_is_offered_a_paper(tenant: Tenant, system: Store, offer: UUID) -> None:
    assert [d.key for d in offered(person(tenant, "boss"), "offer", offer)] == ["offer-pdf", "plain"]
    assert [d.key for d in offered(person(tenant, "rep"), "offer", offer)] == ["offer-pdf"]
    bare = system.create("offer", {"number": "C"}).id
    assert [d.key for d in offered(person(tenant, "boss"), "offer", bare)] == ["offer-pdf"]


def test_markdown_is_a_body_too_and_values_are_only_text_in_it(system: Store, offer: UUID) -> None:
    assert words(made(system, offer, key="plain")).startswith("Offer A-7 For <b>Tom & Söhne</b>.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ number.__class__.__mro__ }}", "reaches for something"),
        ("{{ record._drawer }}", "reaches for something"),
        ("{{ nobody }}", "'nobody' is undefined"),
        ("{% for n in range(10 ** 9) %}x{% endfor %}", "Range too big"),
        ("{{ 'x' * 6000000 }}", "too long"),
    ],
)
def test_a_template_that_reaches_too_far_is_refused_with_the_reason(
    system: Store, offer: UUID, body: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        made(system, offer, body=body)
    assert said in str(refused.value)


def test_a_template_that_never_ends_is_stopped(system: Store, offer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "TIMEOUT", 0.5)
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(Refused, match="takes too long"):
        made(system, offer, body=loops)


def test_pictures_come_from_the_record_and_from_nowhere_else(system: Store, offer: UUID, tmp_path: Path) -> None:
    tenant = system.tenant
    field = tenant.model.entities["offer"].fields["photo"]
    shown = save_file(system, tmp_path, io.BytesIO(PNG), "a.png", "offer", field)
    other = save_file(system, tmp_path, io.BytesIO(PNG), "b.png", "offer", field)
    id = system.create("offer", {"number": "P", "photo": [shown.as_value()]}).id
    values = maker.Values(system, "en")
    values.record("offer", id)
    drawer = maker._Drawer(system, tenant.model.documents["offer-pdf"], values, tmp_path)
    assert drawer._picture(f"record:{shown.id}") is not None
    for address in (
        f"record:{other.id}",
        "file:///etc/passwd",
        "http://127.0.0.1/x.svg",
        "../offer.html",
        "offer.html",
    ):
        assert drawer._picture(address) is None
    within = '{% for each in photo %}<img src="{{ each.src }}">{% endfor %}'
    document = tenant.model.documents["offer-pdf"]
    from dataclasses import replace

    paper = make(system, replace(document, body=within), id, files=tmp_path)
    assert len(PdfReader(io.BytesIO(paper.content)).pages[0].images) == 1


def test_a_paper_is_kept_with_the_record(system: Store, tmp_path: Path) -> None:
    id = system.create("offer", {"number": "K"}).id
    document = system.tenant.model.documents["offer-pdf"]
    for _ in range(2):
        keep(system, document, id, Paper("K.pdf", b"%PDF-1.7 x", "en"), tmp_path)
    held = system.read("offer", id, fields=["papers"])["papers"]
    assert [file["name"] for file in held] == ["K.pdf", "K.pdf"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<p>{{ numbr }}", "documents/x.html:1:1: offer has no field 'numbr'"),
        (
            "<p>\n{% for line in lines %}{{ line.nam }}{% endfor %}",
            "documents/x.html:2:1: offer_line has no field 'nam'",
        ),
        ("<p>{{ text('hello') }}", "there is no text 'hello'"),
        ("<p>{% if %}", "the template cannot be read"),
        ('{% include "y.html" %}', "there is no file documents/y.html"),
        ("{% if owner is defined %}{{ owner }}{% endif %}", ""),
    ],
)
def test_what_a_template_names_is_checked_with_the_configuration(template: str, said: str) -> None:
    text = SCHEMA.replace("body: offer.html", "body: x.html")
    files = {"tenant.yaml": "tenant: t\nlabel: T\n", "schemas/a.yaml": text, "documents/x.html": template}
    problems = compile_layers([layer_from_files("t", files)]).problems
    found = [f"{p.mark}: {p.message}" for p in problems if p.is_error and p.mark and "greeting" not in p.message]
    assert (not found) if not said else any(said in one for one in found), found


def test_a_template_that_is_not_there_is_an_error() -> None:
    text = SCHEMA.replace("body: offer.html", "body: ofer.html")
    files = {"tenant.yaml": "tenant: t\nlabel: T\n", "schemas/a.yaml": text, "documents/offer.html": "<p>"}
    [problem] = [p for p in compile_layers([layer_from_files("t", files)]).problems if p.is_error]
    assert (problem.code, problem.hint) == ("E326", "did you mean 'offer.html'?")
