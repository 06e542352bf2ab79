"""A small CRM with leads that become customers."""

from __future__ import annotations

CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}, email: {type: email, unique: true}, active: {type: boolean, default: true}}
---
entity: account
title: name
fields:
  name: {type: text, required: true, search: true, max_length: 40}
  website: {type: url}
  owner: {type: user, role: owner, default: =me}
  tags: {type: tags}
  phone: {type: phone}
  secret: {type: text}
---
entity: contact
title: name
fields:
  name: {type: text, required: true, search: true}
  email: {type: email}
  account: {type: link, to: account, inverse: contacts}
---
entity: deal
title: name
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, required: true, inverse: deals}
  buyer: {type: link, to: contact, inverse: bought, on_delete: clear}
  amount: {type: money}
---
entity: campaign
title: name
fields: {name: {type: text, required: true}}
---
entity: member
title: "{campaign.name}"
fields:
  campaign: {type: link, to: campaign, required: true, inverse: members}
  lead: {type: link, to: lead, inverse: campaigns, on_delete: cascade}
  contact: {type: link, to: contact, inverse: campaigns, on_delete: cascade}
unique: {once: {fields: [campaign, contact]}}
---
entity: note
title: text
fields:
  text: {type: text, required: true}
  about: {type: any_link, to: [lead, account, deal], inverse: notes}
  owner: {type: user, role: owner, default: =me}
---
entity: lead
title: name
fields:
  name: {type: text, required: true}
  company: {type: text}
  email: {type: email}
  website: {type: url}
  budget: {type: money}
  owner: {type: user, role: owner, default: =me}
  tags: {type: tags}
  is_ready: {type: boolean, default: true}
---
entity: wish
part_of: lead
title: what
fields: {what: {type: text, required: true}}
---
pipeline: lead-status
entity: lead
field: status
stages: {new: New, converted: {label: Converted, type: done}}
---
convert: lead
when: is_ready
into:
  account: {match: [name, website], set: {name: =company, website: =website, owner: =owner, secret: from a lead}}
  contact: {match: [email], set: {name: =name, email: =email, account: =account}}
  deal:
    optional: true
    set: {name: "{company}: {account.website}", account: =account, buyer: =contact, amount: =budget}
move: [activities, comments, followers, campaigns, tags]
then: {set: {status: converted}, lock: true}
---
role: rep
grants:
  "*": {read: all}
  lead: {read: own, create: true, update: own, delete: own, convert: own}
  account: {read: own, create: true, fields: {secret: hidden}}
  contact: {read: all, create: true}
  deal: {read: all, create: true}
allow: [bulk-edit]
---
role: helper
grants: {"*": {read: all}, lead: {read: all, create: true, update: all}}
allow: [convert]
---
role: reader
grants: {"*": {read: all}, lead: {read: all, update: all}}
"""
