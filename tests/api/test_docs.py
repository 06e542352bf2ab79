"""The examples of docs/api.md do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from tests.api.conftest import Api, Office

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(names: dict[str, str]) -> list[list[str]]:
    """The curl calls of the guide, with the variables filled in."""
    text = "\n".join(BLOCK.findall(GUIDE.read_text("utf-8"))).replace("\\\n", " ")
    return [shlex.split(Template(line).substitute(names)) for line in text.splitlines() if line.strip()]


def run(client: Any, arguments: list[str]) -> Any:
    """Do what curl would."""
    method, headers, body, query, address, as_query = None, {}, None, [], "", False
    rest = iter(arguments[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-G":
            as_query = True
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "--json":
            body, headers["Content-Type"] = next(rest), "application/json"
        elif word == "--data-urlencode":
            name, _, value = next(rest).partition("=")
            query.append((name, value))
        else:
            address = word
    assert as_query == bool(query), arguments
    if query:
        address += "?" + urlencode(query)
    return client.open(address, method=method or "GET", headers=headers, data=body, buffered=True)


def test_the_examples_work_in_their_order(office: Office, mona: Api) -> None:
    account = mona.made("account", name="Acme")
    order = mona.made("order", number="DOC-1", name="Documented", account=account["id"])
    contact = mona.made("contact", name="Conny")
    names = {"API": "/api/v1", "KEY": mona.secret, "ORDER": order["id"], "CONTACT": contact["id"]}
    names["CARL"] = str(office.carl)
    calls = commands(names)
    assert len(calls) > 12
    for call in calls:
        answer = run(mona.client, call)
        assert answer.status_code < 300, (call, answer.text)
    assert mona.get(f"order/{order['id']}").json["stage"] == "placed"
