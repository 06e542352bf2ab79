"""Who may call: keys with their scopes, roles, addresses and time; browsers; what each may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.api.conftest import CLERK, MANAGER, Api, Office
from tests.web.frame_tenants import add_person, signed_in_client, token_of

from trellis.identity.api_keys import create_key, list_keys, revoke_key, rotate_key
from trellis.records.refusal import Refused


def test_nobody_gets_in_without_a_key(office: Office) -> None:
    client = office.app.test_client()
    for path in ("meta", "order", "openapi.json", "nonsense"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("given", ["Bearer nonsense", "Bearer ", "Basic abc", "nonsense"])
def test_a_wrong_key_is_refused_alike(office: Office, given: str) -> None:
    answer = office.app.test_client().get("/api/v1/meta", headers={"Authorization": given})
    assert (answer.status_code, answer.json["detail"]) == (401, "The API key is wrong, expired or revoked.")


def test_an_expired_a_revoked_and_a_rotated_key_are_worth_nothing(office: Office) -> None:
    for end in ("expire", "revoke", "rotate"):
        key, secret = create_key(office.tenant, office.mona, end)
        program = Api(office.app.test_client(), secret)
        assert program.get("meta").status_code == 200
        if end == "revoke":
            revoke_key(office.tenant, key.id)
        elif end == "rotate":
            fresh = rotate_key(office.tenant, key.id)
            assert Api(program.client, fresh).get("meta").status_code == 200
        else:
            table = office.tenant.tables.platform.api_key
            with office.tenant.begin() as connection:
                past = datetime.now(UTC) - timedelta(seconds=1)
                connection.execute(sa.update(table).where(table.c.id == key.id).values(expires_at=past))
        assert program.get("meta").status_code == 401


def test_the_key_of_somebody_who_may_not_sign_in_any_more_is_worth_nothing(office: Office) -> None:
    gone = add_person(office.tenant, "gone@office.example", "admin")
    program = office.api(gone)
    assert program.get("meta").status_code == 200
    user = office.tenant.tables.entity["user"]
    with office.tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.id == gone).values(active=False))
    assert program.get("meta").status_code == 401


def test_a_role_without_the_right_has_no_api(office: Office) -> None:
    outsider = add_person(office.tenant, "out@office.example", "outsider")
    assert office.api(outsider).get("meta").status_code == 403


def test_a_key_is_good_from_its_addresses_only(office: Office) -> None:
    assert office.api(addresses=["127.0.0.0/8"]).get("meta").status_code == 200
    answer = office.api(addresses=["203.0.113.7"]).get("meta")
    assert (answer.status_code, answer.json["type"]) == (403, "urn:trellis:problem:address")


def test_scopes_narrow_what_the_person_may(office: Office, mona: Api) -> None:
    order = mona.made("order", number="S-1", name="Scoped")
    reads = office.api(scopes=["order:read"])
    path = f"order/{order['id']}"
    assert reads.get(path).status_code == 200
    assert reads.patch(path, {"name": "X"}).status_code == 403
    assert reads.post("order", {"number": "S-2", "name": "Y"}).status_code == 403
    assert reads.get("account").status_code == 404
    assert reads.get("user").status_code == 404
    assert [e["key"] for e in reads.get("meta").json["entities"] if "read" in e["actions"]] == ["order", "order_line"]
    writes = office.api(scopes=["order:write", "order:read"])
    assert writes.patch(path, {"name": "Written"}).json["name"] == "Written"
    assert writes.delete(path).status_code == 204
    blind = office.api(scopes=["account:create"])
    assert blind.post("account", {"name": "Made blindly"}).status_code == 201
    assert blind.get("account").status_code == 403


def test_a_scope_is_no_way_around_links_and_filters(office: Office, mona: Api) -> None:
    account = mona.made("account", name="Hidden & Sons")
    mona.made("order", number="S-9", name="Linked", account=account["id"])
    reads = office.api(scopes=["order:read"])
    assert reads.get("order?fields=account.name").status_code == 422 or not any(
        row.get("account.name") for row in reads.get("order?fields=account.name").json["data"]
    )
    found = reads.get('order?filter=account.name == "Hidden %26 Sons"')
    assert found.status_code == 422 or found.json["data"] == []


def test_a_keys_roles_narrow_the_persons(office: Office) -> None:
    both = add_person(office.tenant, "both@office.example", "admin", "clerk")
    assert "margin" in {f["key"] for f in office.api(both).get("meta/order").json["fields"]}
    narrow = office.api(both, roles=["clerk"])
    assert "margin" not in {f["key"] for f in narrow.get("meta/order").json["fields"]}


def test_a_key_of_some_roles_has_their_rights_beside_entities_alone(office: Office) -> None:
    both = add_person(office.tenant, "boss@office.example", "admin", "outsider", "clerk")
    whole, clerk = office.api(both), office.api(both, roles=["clerk"])
    with pytest.raises(Refused) as refused:  # a key that could do nothing
        create_key(office.tenant, both, "outsider", roles=["outsider"])
    assert [fault.field for fault in refused.value.faults] == ["roles"]
    for path in ("meta", "openapi.json"):
        assert (whole.get(path).status_code, clerk.get(path).status_code) == (200, 200)
    assert clerk.get("meta").json["caller"]["roles"] == ["clerk"]
    assert (whole.get("webhooks").status_code, clerk.get("webhooks").status_code) == (200, 403)
    assert "/webhooks" not in clerk.get("openapi.json").json["paths"]
    assert (whole.get("reports/orders-by-month?from=2026-01-01").status_code) == 200
    assert clerk.get("reports/orders-by-month?from=2026-01-01").status_code == 403
    table = office.tenant.tables.platform.api_key
    with office.tenant.begin() as connection:  # as if the role had had the right when the key was made
        connection.execute(sa.update(table).where(table.c.user == both).values(roles=["outsider"]))
    assert [clerk.get(path).status_code for path in ("meta", "openapi.json", "account")] == [403] * 3
    told = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Authorization": f"Bearer {clerk.secret}"}
    assert clerk.client.post("/mcp", json=told, headers=headers).status_code == 403


def test_hidden_and_masked_fields_leave_no_trace(mona: Api, carl: Api) -> None:
    mine = carl.made("order", number="H-1", name="Mine")
    path = f"order/{mine['id']}"
    mona.patch(path, {"margin": 12.5, "phone": "+49 30 901820"})
    seen = carl.get(path).json
    assert "margin" not in seen
    assert "901820" not in seen["phone"]
    assert carl.get("order?filter=margin > 1").status_code == 422
    assert carl.get("order?sort=margin").status_code == 422
    assert carl.get("order?fields=margin").status_code == 422
    assert carl.get('order?filter=phone == "%2B4930901820"').status_code == 422
    assert not any(c["field"] == "margin" for h in carl.get(f"{path}/history").json["data"] for c in h["changes"])
    assert "margin" not in carl.get("openapi.json").text
    assert [e["code"] for e in carl.patch(path, {"margin": 1}).json["errors"]] == ["unknown"]
    assert [e["code"] for e in carl.patch(path, {"discount": 5}).json["errors"]] == ["forbidden"]


def test_what_is_out_of_reach_is_not_there_by_any_address(mona: Api, carl: Api) -> None:
    hers = mona.made("order", number="R-1", name="Hers")
    contact = mona.made("contact", name="C")
    path = f"order/{hers['id']}"
    for address in (path, f"{path}/history", f"{path}/links/contacts"):
        assert carl.get(address).status_code == 404, address
    assert carl.patch(path, {"name": "Stolen"}).status_code == 404
    assert carl.post(f"{path}/move", {"stage": "placed"}, If_Match="*").status_code == 404
    assert carl.post(f"{path}/links/contacts", {"id": contact["id"]}).status_code == 404
    assert hers["id"] not in {row["id"] for row in carl.get("order?limit=1000&fields=number").json["data"]}
    assert carl.get('order?filter=number == "R-1"&count=exact').json["count"]["n"] == 0
    many = {"operation": "upsert", "match": "number", "rows": [{"number": "R-1", "name": "Stolen"}]}
    assert carl.post("order/bulk", many).json.get("counts", {}).get("updated") is None
    assert mona.get(path).json["name"] == "Hers"


def test_a_browser_may_read_and_needs_its_token_to_write(office: Office) -> None:
    client = signed_in_client(office.app, MANAGER)
    assert client.get("/api/v1/meta").json["caller"]["key"] is None
    body = {"number": "B-1", "name": "By a browser"}
    assert client.post("/api/v1/order", json=body).status_code == 400
    token = token_of(client.get("/profile").text)
    assert client.post("/api/v1/order", json=body, headers={"X-CSRFToken": token}).status_code == 201


def test_a_key_is_kept_as_a_digest_and_notes_its_last_use(office: Office) -> None:
    key, secret = create_key(office.tenant, office.carl, "noted")
    Api(office.app.test_client(), secret).get("meta")
    [listed] = [k for k in list_keys(office.tenant, office.carl) if k.id == key.id]
    assert listed.used_at is not None
    assert listed.hint == secret[: len(listed.hint)]
    table = office.tenant.tables.platform.api_key
    with office.tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == key.id)).one()
    assert secret not in str(tuple(row))


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"scopes": ["order"]}, "scopes"),
        ({"scopes": ["nonsense:read"]}, "scopes"),
        ({"roles": ["nobody"]}, "roles"),
        ({"addresses": ["somewhere"]}, "addresses"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
    ],
)
def test_a_key_with_limits_that_mean_nothing_is_refused(office: Office, limits: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        create_key(office.tenant, office.mona, "wrong", **limits)  # type: ignore[arg-type]
    assert [fault.field for fault in refused.value.faults] == [field]


def test_the_clerk_signs_in_with_the_same_rights_as_the_key(office: Office, carl: Api) -> None:
    client = signed_in_client(office.app, CLERK)
    by_browser = {e["key"]: e["actions"] for e in client.get("/api/v1/meta").json["entities"]}
    assert by_browser == {e["key"]: e["actions"] for e in carl.get("meta").json["entities"]}
