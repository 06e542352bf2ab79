"""What retail converts: an application into a partner with a store, a lead without a company into a member."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trellis.config.layer import layer_from_files, read_layer
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def store(catalogue: Catalogue) -> Iterator[Store]:
    own = layer_from_files("r", {"tenant.yaml": "tenant: r\nlabel: R\ncurrency: EUR\n"}, "tenants/r")
    layers = [read_layer(ROOT, "core"), read_layer(ROOT / "templates" / "retail", "retail"), own]
    yield Store(catalogue.create("conversion-retail", layers, "test"), Principal.system(Reader(region="DE")))
    catalogue.drop("conversion-retail")


APPLICATION = {
    "name": "Wien Neubau",
    "applicant": "Jakob Steiner",
    "company": "Steiner OG",
    "email": "jakob@steiner.example",
    "capital": 260_000,
}


def test_an_application_that_is_signed_becomes_a_store(store: Store) -> None:
    made = store.create("franchise_application", {**APPLICATION, "stage": "signing"})
    became = store.convert("franchise_application", made.id).became
    account = store.read("account", became["account"].id)
    opened = store.read("store", became["store"].id)
    assert (account["name"], account["type"]) == ("Steiner OG", "partner")
    assert store.read("contact", became["contact"].id)["account"].id == account.id
    assert (opened["name"], opened["code"], opened["kind"]) == ("Wien Neubau", "WIENNEUB", "franchise")
    application = store.read("franchise_application", made.id)
    assert (application["stage"], application["store"].id) == ("opened", opened.id)
    assert application["contact"].id == became["contact"].id
    with pytest.raises(Refused):
        store.convert("franchise_application", made.id)


def test_an_application_is_converted_only_when_it_is_signed(store: Store) -> None:
    made = store.create("franchise_application", {**APPLICATION, "stage": "screening"})
    assert not store.may_convert("franchise_application", made.id)
    with pytest.raises(Refused):
        store.convert("franchise_application", made.id)


def test_a_lead_without_a_company_becomes_a_member(store: Store) -> None:
    lead = store.create("lead", {"name": "Emilia Krüger", "phone": "+49 171 5550111", "consent": True})
    became = store.convert("lead", lead.id).became
    assert set(became) == {"member"}
    member = store.read("member", became["member"].id)
    assert (str(member["name"]["last"]), member["marketing_consent"]) == ("Krüger", True)


def test_a_lead_of_a_company_becomes_a_customer(store: Store) -> None:
    lead = store.create("lead", {"name": "Sophie Arnold", "company": "Segelclub Kiel"})
    assert set(store.convert("lead", lead.id).became) == {"account", "contact", "deal"}
