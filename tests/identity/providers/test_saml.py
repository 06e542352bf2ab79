"""Signing in by SAML: responses that a key of the test has signed."""

from __future__ import annotations

import base64
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Named
from onelogin.saml2.utils import OneLogin_Saml2_Utils as Saml
from tests.web.frame_tenants import YAML, add_person, app_of

from trellis.identity.elsewhere import identities_of
from trellis.storage.secrets import use_installation_key

IDP = "https://idp.acme.example/metadata"


@cache
def keys(name: str) -> tuple[str, str]:
    """A private key and its certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(names).issuer_name(names).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return private.decode(), certificate.decode()


def moment(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def response(request: Any, *, signed_by: str | None = "idp", minutes: int = 5, **said: Any) -> str:
    """A response to a request, as the provider's page posts it."""
    acs, audience = request.get("AssertionConsumerServiceURL"), request.find("{*}Issuer").text
    answered = said.pop("in_response_to", request.get("ID"))
    name, email, groups = (
        said.get("subject", "a-17"),
        said.get("email", "anna@x.example"),
        said.get("groups", ["staff"]),
    )
    values = "".join(f"<saml:AttributeValue>{g}</saml:AttributeValue>" for g in groups)
    assertion = f"""<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{uuid.uuid4().hex}" Version="2.0" IssueInstant="{moment(0)}"><saml:Issuer>{IDP}</saml:Issuer>
<saml:Subject><saml:NameID>{name}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{moment(minutes)}" Recipient="{said.get("recipient", acs)}" InResponseTo="{answered}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{moment(minutes - 10)}" NotOnOrAfter="{moment(minutes)}"><saml:AudienceRestriction><saml:Audience>{said.get("audience", audience)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{moment(0)}" SessionIndex="_1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>{email}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="name"><saml:AttributeValue>Anna Berg</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups">{values}</saml:Attribute></saml:AttributeStatement></saml:Assertion>"""  # noqa: E501
    if signed_by is not None:
        private, certificate = keys(signed_by)
        made = Saml.add_sign(assertion, private, certificate, False, Named.RSA_SHA256, Named.SHA256)
        assertion = made.decode() if isinstance(made, bytes) else made
    if "tamper" in said:
        assertion = assertion.replace(*said["tamper"])
    whole = f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{uuid.uuid4().hex}" Version="2.0" IssueInstant="{moment(0)}" Destination="{acs}" InResponseTo="{answered}"><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{assertion}</samlp:Response>"""  # noqa: E501
    return base64.b64encode(whole.encode()).decode()


def begin(client: Any, query: str = "") -> tuple[Any, str]:
    """Press the button: the request that the provider gets, and the RelayState."""
    sent = parse_qs(urlsplit(client.get(f"/login/saml/company{query}").location).query)
    xml = zlib.decompress(base64.b64decode(sent["SAMLRequest"][0]), -15)
    return etree.fromstring(xml), sent["RelayState"][0]


def post(app: Any, relay: str, answer: str) -> Any:
    """The provider's page posts the response: another site, so that no cookie of ours comes along."""
    return app.test_client().post("/saml/company/acs", data={"RelayState": relay, "SAMLResponse": answer})


@pytest.fixture
def world(make_tenant: Any, tmp_path: Path) -> Any:
    use_installation_key(tmp_path)

    def make(more: str = "", **settings: Any) -> Any:
        certificate = "".join(keys("idp")[1].splitlines()[1:-1])
        source = f"entity_id: '{IDP}', sso_url: 'https://idp.acme.example/sso', certificate: '{certificate}'"
        tenant = make_tenant(YAML, profile=f"sign_in: {{saml: {{company: {{{source}, label: Acme ID{more}}}}}}}\n")
        return tenant, app_of(tenant, tmp_path, **settings)

    return make


def come_back(app: Any, client: Any, query: str = "", **said: Any) -> Any:
    request, relay = begin(client, query)
    done = post(app, relay, response(request, **said))
    return client.get(urlsplit(done.location).path + "?" + urlsplit(done.location).query)


def test_a_response_to_the_browser_that_asked_lets_in(world: Any) -> None:
    tenant, app = world()
    person = add_person(tenant, "anna@x.example", "rep")
    client = app.test_client()
    assert 'href="/login/saml/company"' in client.get("/login").text
    assert come_back(app, client, "?next=/profile").location == "/profile"
    assert client.get("/profile").status_code == 200
    assert [(i.means, i.subject) for i in identities_of(tenant, person)] == [("saml:company", "a-17")]


def test_registration_and_groups(world: Any) -> None:
    _tenant, app = world(", register: true, roles: {bosses: admin, staff: rep}")
    client = app.test_client()
    come_back(app, client, groups=["bosses", "others"])
    assert client.get("/admin/users").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"signed_by": None},
        {"signed_by": "somebody else"},
        {"tamper": ("anna@x.example", "boss@x.example")},
        {"minutes": -5},
        {"audience": "https://another.example"},
        {"recipient": "https://another.example/acs"},
        {"in_response_to": "_another_request"},
    ],
    ids=str,
)
def test_responses_that_are_not_right(world: Any, wrong: dict[str, Any]) -> None:
    tenant, app = world()
    for email in ("anna@x.example", "boss@x.example"):
        add_person(tenant, email, "admin")
    client = app.test_client()
    request, relay = begin(client)
    done = post(app, relay, response(request, **wrong))
    assert done.location == "/login"
    assert client.get("/profile").status_code == 302


def test_a_response_is_good_once_and_for_the_browser_that_asked(world: Any) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "rep")
    client, thief = app.test_client(), app.test_client()
    request, relay = begin(client)
    answer = response(request)
    done = post(app, relay, answer)
    assert post(app, relay, answer).location == "/login"  # replayed
    back = urlsplit(done.location)
    assert thief.get(f"{back.path}?{back.query}").location == "/login"
    assert client.get(f"{back.path}?{back.query}").location == "/"
    assert client.get(f"{back.path}?{back.query}").location == "/login"
    assert post(app, "made up", answer).location == "/login"


def test_what_the_provider_wants_to_know(world: Any) -> None:
    tenant, app = world(url="https://crm.example")
    answer = app.test_client().get("/saml/company/metadata")
    assert answer.mimetype == "application/samlmetadata+xml"
    assert f'Location="https://crm.example/t/{tenant.slug}/saml/company/acs"' in answer.text
    assert app.test_client().get("/saml/nothing/metadata").status_code == 404


XXE = """<!DOCTYPE r [<!ENTITY who SYSTEM "file:///etc/hostname">]>"""
LAUGHS = """<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY who "&b;&b;&b;&b;">]>"""


def wrapped(answer: str) -> str:
    """The signed assertion stays where the signature finds it; another one, of the boss, stands before it."""
    whole = etree.fromstring(base64.b64decode(answer))
    (signed,) = whole.findall("{*}Assertion")
    forged = etree.fromstring(etree.tostring(signed).replace(b"anna@x.example", b"boss@x.example"))
    forged.set("ID", "_forged")
    for signature in forged.findall("{*}Signature"):
        forged.remove(signature)
    whole.insert(whole.index(signed), forged)
    return base64.b64encode(etree.tostring(whole)).decode()


@pytest.mark.parametrize(
    "made",
    [
        lambda answer: "no base64 at all",
        lambda answer: base64.b64encode(b"no XML at all").decode(),
        lambda answer: base64.b64encode(b"<a>").decode(),
        lambda answer: base64.b64encode(b"<a/>").decode(),
        lambda answer: "",
        lambda answer: base64.b64encode(XXE.encode() + base64.b64decode(answer)).decode(),
        lambda answer: base64.b64encode(LAUGHS.encode() + base64.b64decode(answer)).decode(),
        wrapped,
    ],
    ids=["text", "bytes", "broken", "empty", "nothing", "entity of a file", "entities of entities", "wrapped"],
)
def test_what_is_no_response_lets_nobody_in_and_breaks_nothing(world: Any, made: Any) -> None:
    tenant, app = world()
    for email in ("anna@x.example", "boss@x.example"):
        add_person(tenant, email, "admin")
    client = app.test_client()
    request, relay = begin(client)
    assert post(app, relay, made(response(request))).location == "/login"
    assert client.get("/profile").status_code == 302


def test_a_comment_does_not_cut_a_name_short(world: Any) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "admin")
    client = app.test_client()
    come_back(app, client, subject="anna<!-- -->.evil", email="anna@x.example<!-- -->.evil")
    assert client.get("/profile").status_code == 302
