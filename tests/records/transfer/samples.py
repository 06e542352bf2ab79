"""Every kind of field, and links of every kind."""

YAML = """
entity: account
label: Account
key: code
title: name
fields:
  name: {type: text, required: true, search: true, label: Company}
  code: {type: text, unique: true}
  site: {type: text, unique: true}
  parent: {type: link, to: account, tree: true, inverse: children}
---
entity: person
label: Person
key: email
title: name
fields:
  name:   {type: name, required: true}
  email:  {type: email, unique: true, label: E-mail}
  phone:  {type: phone}
  born:   {type: date}
  account: {type: link, to: account, inverse: people}
  friends: {type: links, to: person, inverse: friend_of}
  about:  {type: any_link, to: [account, person], inverse: remarks}
  level:  {type: choice, choices: [low, {high: {label: Very high}}], default: low}
  topics: {type: choices, choices: [a, b, {c: {label: "C; really"}}]}
  words:  {type: tags}
  lines:  {type: list}
  worth:  {type: money, min: 0}
  share:  {type: percent}
  size:   {type: decimal}
  count:  {type: integer}
  stars:  {type: rating}
  yes:    {type: boolean}
  seen:   {type: datetime}
  wakes:  {type: time}
  takes:  {type: duration}
  home:   {type: address}
  place:  {type: location}
  note:   {type: long_text}
  data:   {type: json}
  shade:  {type: color}
  site:   {type: url}
  twice:  {type: decimal, formula: count * 2}
rules:
  size: {check: size < 1000, message: Too big.}
"""
