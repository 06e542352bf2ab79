"""What the platform cannot do without: the entities `user` and `team`, and the role `admin`."""

from __future__ import annotations

from trellis.config.layer import layer_from_files
from trellis.config.stack import Configuration, stack

PEOPLE = """\
entity: user
label: User
plural: Users
icon: user
title: name
key: email
fields:
  name: {type: text, required: true, search: true}
  email: {type: email, unique: true, search: true}
  phone: {type: phone}
  manager: {type: user, inverse: reports}
  team: {type: team, inverse: members}
  roles: {type: list}
  language: {type: choice, choices: {from: languages}}
  time_zone: {type: choice, choices: {from: time_zones}}
  active: {type: boolean, default: true}
---
entity: team
label: Team
plural: Teams
icon: users-group
title: name
fields:
  name: {type: text, required: true, unique: true, search: true}
  parent: {type: link, to: team, tree: true, inverse: children}
  manager: {type: user, inverse: managed_teams}
---
role: admin
label: Administrator
grants: {"*": true}
allow: [admin, import, merge, bulk-edit, reports, api]
"""


def add_people(configuration: Configuration) -> None:
    """Add what no layer gives."""
    for document in stack([layer_from_files("trellis", {"schemas/people.yaml": PEOPLE})]):
        configuration.documents.setdefault(document.kind, {}).setdefault(document.key, document)
