"""JSON Schemas over HTTP: the language's for everybody, with a tenant's entities for its administrators."""

from __future__ import annotations

from trellis.model.kinds import KINDS
from trellis.web.app import TrellisApp
from trellis.web.schemas import schema_response


def test_every_kind_has_a_schema_and_no_other_name_has_one():
    app = TrellisApp("schemas")
    with app.app_context():
        for name in (*KINDS, "trellis"):
            assert schema_response(name).get_json(force=True)["$schema"].startswith("http://json-schema.org/draft-07")
        assert b"heron_nest" in schema_response("pipeline", ("heron_nest",)).data
