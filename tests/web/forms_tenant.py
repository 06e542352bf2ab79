"""A tenant with orders and lines, notes about anything, and a stage that asks for something."""

from __future__ import annotations

from tests.web.frame_tenants import YAML

ORDERS = """
---
entity: product
label: Product
plural: Products
title: name
fields:
  name:  {type: text, required: true, search: true}
  price: {type: money}
quick_create: [name, price]
---
entity: order
label: Order
plural: Orders
icon: shopping-cart
title: name
fields:
  name:     {type: text, required: true, search: true, max_length: 40}
  account:  {type: link, to: account, inverse: orders}
  partners:
    type: links
    to: account
    inverse: partner_orders
    columns: {part: {type: choice, choices: [ships, {pays: Pays for it}]}}
  signers:
    type: links
    to: account
    inverse: signed_orders
    columns: {signs_on: {type: date, required: true, label: Signs on}}
  owner:    {type: user, default: =me, role: owner}
  kind:     {type: choice, choices: [plain, {rush: {color: red}}], default: plain}
  reason:   {type: text, visible_when: 'kind == "rush"', required_when: 'kind == "rush"'}
  due:      {type: date}
  begins:   {type: datetime}
  phones:   {type: phone, multiple: true, kinds: [work, home]}
  papers:   {type: file, multiple: true, max_size: 1 KB, accept: [.txt]}
  active:   {type: boolean, default: true}
  why:      {type: choice, choices: [price, time], visible_when: 'stage_type == "lost"'}
  total:    {type: money, rollup: sum(lines.amount)}
rules:
  soon: {check: due >= today(), message: An order cannot be due in the past., field: due}
form:
  basics:
    label: Basics
    fields: [name, account, partners, owner, kind, reason, due, begins, phones, papers, active, why]
  lines:  {label: Lines, columns: 1, fields: [lines]}
  totals: {label: Totals, fields: [total]}
quick_create: [name, account]
page: {highlights: [total, due, owner], related: [partners, signers]}
---
entity: order_line
part_of: order
title: product.name
label: Line
fields:
  product:  {type: link, to: product, required: true}
  quantity: {type: decimal, required: true, default: 1, min: 0}
  price:    {type: money, default: =product.price}
  amount:   {type: money, formula: quantity * price}
---
entity: remark
label: Remark
plural: Remarks
icon: note
title: text
fields:
  about: {type: any_link, to: "*", inverse: remarks, required: true}
  text:  {type: long_text, required: true}
  owner: {type: user, default: =me, role: owner}
  shared: {type: boolean, visible_when: entity_of(about) == "order"}
quick_create: [text, shared]
---
pipeline: order-stages
entity: order
default: true
stages:
  open: {label: Open}
  sent: {label: Sent, require: [account]}
  lost: {label: Lost, type: lost, require: [why]}
moves:
  - {from: open, to: [sent, lost]}
  - {from: sent, to: open}
---
role: clerk
label: Clerk
grants:
  order: {read: all, update: own, create: true}
  account: {read: all}
"""
MORE = "update: all, delete: all, restore: all, export: true}}\nallow: [admin, import]"
FORMS = YAML.replace("update: all, delete: all}}\nallow: [admin]", MORE, 1) + ORDERS
