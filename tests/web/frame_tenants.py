"""Tenants with people, and clients that sign in: what the tests of the frame share."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from trellis.identity.accounts import Account, set_password
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.refusals import HEADER
from trellis.web.settings import Settings

PASSWORD = "correct horse battery"
PEOPLE = """
entity: user
label: Person
plural: People
title: name
key: email
fields:
  name:      {type: text, required: true, search: true}
  email:     {type: email, required: true, unique: true}
  team:      {type: link, to: team, inverse: members}
  manager:   {type: link, to: user, inverse: reports}
  roles:     {type: choices, choices: {from: roles}}
  language:  {type: choice, choices: {from: languages}}
  time_zone: {type: choice, choices: {from: time_zones}}
  active:    {type: boolean, default: true}
---
entity: team
label: Team
title: name
fields:
  name:    {type: text, required: true}
  parent:  {type: link, to: team, tree: true, inverse: children}
  manager: {type: link, to: user, inverse: managed_teams}
---
"""
YAML = (
    PEOPLE
    + """
entity: account
label: Account
plural: Accounts
icon: building
title: name
fields:
  name:  {type: text, required: true, search: true}
  owner: {type: user, default: =me, role: owner}
---
entity: payslip
label: Payslip
plural: Payslips
title: name
fields:
  name: {type: text, required: true}
---
role: admin
label: Administrator
grants: {"*": {read: all, create: true, update: all, delete: all}}
allow: [admin]
---
role: rep
label: Sales rep
grants: {account: {read: all, create: true, update: own}, user: {read: all}}
---
menu: main
groups:
  work: {label: Work, items: [account, payslip]}
"""
)


def add_person(
    tenant: Tenant, email: str, *roles: str, name: str = "", password: str = PASSWORD, **more: Any
) -> uuid.UUID:
    """Put a person with a password straight into the tables."""
    user = tenant.tables.entity["user"]
    person = uuid.uuid4()
    with tenant.begin() as connection:
        row = {
            "id": person,
            "name": name or email.partition("@")[0].title(),
            "email": email,
            "roles": list(roles),
            "active": True,
        }
        connection.execute(sa.insert(user).values(**(row | more)))
        set_password(connection, tenant, Account(person, row["name"], email, None), password)
    return person


def app_of(tenant: Tenant, var: Path, **settings: Any) -> Flask:
    """The tenant's app."""
    return create_tenant_app(tenant, Settings(var=var, **settings))


def token_of(text: str) -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert found, text[:400]
    return found[1]


def outcome(answer: Any) -> int:
    """How an answer ended, as the pages' scripts read it: the status, or the refusal that its header names."""
    return int(answer.headers.get(HEADER, answer.status_code))


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: Any) -> Any:
    """Send the sign-in form as a browser would."""
    token = token_of(client.get("/login").text)
    return client.post("/login", data={"csrf_token": token, "email": email, "password": password, **more})


def signed_in_client(app: Flask, email: str, password: str = PASSWORD) -> FlaskClient:
    """A browser that is signed in."""
    client = app.test_client()
    assert sign_in(client, email, password).status_code == 302
    return client
