"""What is tortured: a tenant whose runs write, wait, branch, wake each other, send mail and call another system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.config.layer import layer_from_files

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

SLUG = "torture"
PER_ACCOUNT = 4  # deals, whose runs all write to it
PROFILE = """
tenant: torture
label: Torture
language: en
time_zone: Europe/Berlin
currency: EUR
mail: {{server: 127.0.0.1, port: {port}, security: none, from: 'Torture <from@torture.example>'}}
"""
YAML = """
entity: account
title: name
fields:
  name: {{type: text, required: true, unique: true}}
  touched: {{type: integer, default: 0}}
---
entity: deal
title: name
fields:
  name: {{type: text, required: true}}
  number: {{type: integer, unique: true}}
  account: {{type: link, to: account, inverse: deals}}
  email: {{type: email}}
  way: {{type: text}}
  count: {{type: integer, default: 0}}
  answer: {{type: integer}}
---
entity: job
title: subject
fields:
  subject: {{type: text, required: true, unique: true}}
  about: {{type: any_link, to: [deal]}}
  status: {{type: choice, choices: [open, done], default: open}}
---
email: letter
entity: deal
subject: "Letter {{number}}"
body: "Number {{number}}"
---
# the long way: everything that a run can do, in one
workflow: long-way
on: {{record: deal, created: true}}
steps:
  - {{create: job, set: {{subject: "1 {{number}}", about: =record}}, as: first}}
  - wait: 2 seconds
  - if: number % 2 == 0
    then: [{{set: {{way: even}}}}]
    else: [{{create: job, set: {{subject: "odd {{number}}", about: =record}}}}]
  - {{each: =account.deals, steps: [{{log: "{{item.number}}"}}]}}
  - {{send: email, template: letter, to: =email}}
  - {{request: {{url: "{url}", body: {{number: =number}}}}, as: said}}
  - {{update: =account, set: {{touched: =account.touched + 1}}}}
  - run: by-way
  - wait: {{until: 'first.status == "done"', at_most: 1 day}}
  - {{set: {{count: =count + 1, answer: =said.status}}}}
---
workflow: by-way
on: {{run: {{entity: deal}}}}
steps:
  - {{create: job, set: {{subject: "2 {{number}}", about: =record}}}}
---
# what the second job sets off ends what the first run waits for
workflow: waking
on: {{record: job, created: true}}
when: starts_with(subject, "2 ")
steps:
  - {{find: job, where: 'subject == replace(record.subject, "2 ", "1 ")', as: other}}
  - {{update: =other, set: {{status: done}}}}
"""


def make(catalogue: Catalogue, port: int, url: str) -> Tenant:
    """A tenant whose mail goes to a port, and whose requests go to an address."""
    files = {"tenant.yaml": PROFILE.format(port=port), "schemas/torture.yaml": YAML.format(url=url)}
    return catalogue.create(SLUG, [layer_from_files(SLUG, files, f"tenants/{SLUG}")], "torture")
