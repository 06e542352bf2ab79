"""From YAML to entities: what is written, and what is there without being written."""

# ruff: noqa: E501  (YAML and the lines said about it stand on one line each)
from __future__ import annotations

from decimal import Decimal

import pytest

SALES = """
    entity: account
    fields:
      name: {type: text, required: true, unique: true, search: true}
      industry: {type: choice, choices: industry}
      address: {type: address}
    ---
    entity: contact
    fields:
      name: {type: name, required: true}
      email: {type: email}
      account: {type: link, to: account, inverse: contacts}
    ---
    entity: deal
    module: sales
    title: "{number} {account.name}"
    fields:
      number: {type: sequence, mask: "D-{00000}"}
      account: {type: link, to: account, required: true, inverse: deals}
      contacts:
        type: links
        to: contact
        inverse: deals
        primary: main_contact
        columns: {part: {type: choice, choices: [buyer, user]}}
      owner: {type: user, default: =me, role: owner}
      amount: {type: money, min: 0}
      priority: {type: choice, choices: [low, {normal: {label: Normal, color: blue}}, {high: {color: red}}], default: normal}
      expected: {type: money, formula: amount * probability / 100}
      lines_total: {rollup: sum(lines.amount)}
      industry: {lookup: account.industry}
      city: {formula: account.address.city}
      close_date: {type: date, required_when: 'stage_type == "open" and amount > 0'}
    rules:
      positive: {check: amount > 0, message: "{number} needs an amount.", field: amount}
    views:
      open: {filter: 'stage_type == "open"', columns: [number, account.industry, stage], sort: [close_date, -amount]}
      board: {type: kanban, group: stage, card: [amount]}
    form:
      basics: {label: Basics, fields: [account, owner, {field: amount, span: full}]}
    ---
    entity: deal_line
    part_of: deal
    fields:
      quantity: {type: decimal, default: 1.50}
      price: {type: money}
      amount: {type: money, formula: quantity * price}
    ---
    pipeline: new-business
    entity: deal
    stages:
      qualify: {probability: 10, rot_after: 14 days}
      propose: {label: Proposal, probability: 40, require: [amount], checklist: {legal: Legal agreed}}
      won: {type: won}
      lost: {type: lost}
    ---
    choices: industry
    values: {retail: Retail, food: {label: Food, color: green}}
    ---
    module: sales
    label: Sales
    ---
    role: rep
    grants: {"*": {read: all}, deal: {read: own, update: 'owner == me', fields: {amount: masked}}}
"""


@pytest.fixture
def sales(model_of):
    return model_of(SALES)


def test_labels_come_from_keys(sales) -> None:
    assert (str(sales.entities["deal_line"].label), str(sales.entities["deal_line"].plural)) == (
        "Deal line",
        "Deal lines",
    )
    assert str(sales.entities["deal"].fields["close_date"].label) == "Close date"


def test_titles(sales) -> None:
    assert sales.entities["account"].title_field == "name"
    assert sales.entities["deal"].title_field is None
    assert sales.entities["deal"].title.type.kind == "text"


def test_natural_key_is_the_first_unique_field(sales) -> None:
    assert sales.entities["account"].natural_key == "name"
    assert sales.entities["deal"].natural_key == "number"


def test_system_fields_come_last(sales) -> None:
    assert list(sales.entities["account"].fields)[-8:] == [
        "id",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "deleted_at",
        "deleted_by",
        "version",
    ]
    assert sales.entities["account"].fields["created_by"].system


def test_inverses(sales) -> None:
    account = sales.entities["account"].inverses
    assert {n: (i.entity, i.field, i.many) for n, i in account.items()} == {
        "contacts": ("contact", "account", False),
        "deals": ("deal", "account", False),
    }
    assert sales.entities["contact"].inverses["deals"].many
    assert sales.entities["deal"].inverses["lines"].entity == "deal_line"


def test_parts_get_a_link_to_their_parent(sales) -> None:
    line = sales.entities["deal_line"]
    assert (line.part_of, line.parent_field) == ("deal", "deal")
    assert line.fields["deal"].required
    assert line.fields["deal"].type.on_delete == "cascade"
    assert line.fields["position"].system


def test_a_missing_primary_is_made(sales) -> None:
    assert sales.entities["deal"].fields["main_contact"].type.to == "contact"


def test_columns_of_links_are_fields(sales) -> None:
    part = sales.entities["deal"].fields["contacts"].type.columns_of_link["part"]
    assert [c.key for c in part.type.options()] == ["buyer", "user"]


def test_types_of_derived_fields_follow(sales) -> None:
    deal = sales.entities["deal"].fields
    assert deal["lines_total"].type.name == "money"
    assert deal["lines_total"].rollup is not None
    assert deal["lines_total"].is_stored
    assert deal["industry"].type.name == "choice"
    assert [str(c.label) for c in deal["industry"].type.options()] == ["Retail", "Food"]
    assert deal["city"].type.name == "text"
    assert not deal["expected"].is_stored


def test_defaults(sales) -> None:
    deal = sales.entities["deal"].fields
    assert deal["owner"].default.uses == {"me"}
    assert deal["priority"].default.is_constant
    assert sales.entities["deal_line"].fields["quantity"].default.evaluate(None) == Decimal("1.50")


def test_choices_have_labels_and_colors(sales) -> None:
    options = sales.entities["deal"].fields["priority"].type.options()
    assert [(c.key, str(c.label), c.color) for c in options] == [
        ("low", "Low", ""),
        ("normal", "Normal", "blue"),
        ("high", "High", "red"),
    ]


def test_pipeline_fields(sales) -> None:
    deal = sales.entities["deal"]
    assert [c.key for c in deal.fields["stage"].type.options()] == ["qualify", "propose", "won", "lost"]
    assert deal.fields["stage_type"].system
    assert deal.fields["stage_since"].type.name == "datetime"
    assert deal.fields["is_stuck"].formula is not None
    assert [c.key for c in deal.fields["checklist"].type.options()] == ["propose.legal"]
    pipeline = deal.pipelines["new-business"]
    assert pipeline.default
    assert pipeline.stages["won"].probability == 100
    assert pipeline.stages["propose"].require == ("amount",)
    assert pipeline.moves is None


def test_views(sales) -> None:
    deal = sales.entities["deal"]
    assert list(deal.views) == ["open", "board", "all"]
    assert deal.views["open"].columns == ("number", "account.industry", "stage")
    assert [(s.path, s.descending) for s in deal.views["open"].sort] == [("close_date", False), ("amount", True)]
    assert deal.views["all"].columns[0] == "number"


def test_a_field_that_nothing_shows_goes_to_other(sales) -> None:
    sections = sales.entities["deal"].form.sections
    assert [s.key for s in sections] == ["basics", "other"]
    assert sections[0].fields[2].span == "full"
    assert {"priority", "close_date"} <= {f.field for f in sections[1].fields}


def test_roles(sales) -> None:
    rep = sales.roles["rep"]
    assert rep.grants["account"].level("read").kind == "all"
    assert rep.grants["deal"].level("read").kind == "own"
    assert rep.grants["deal"].level("update").kind == "formula"
    assert rep.grants["deal"].level("delete").kind == "none"
    assert rep.grants["deal"].fields == {"amount": "masked"}
    assert rep.grants["deal_line"] == rep.grants["deal"]


def test_a_menu_is_made_from_modules(sales) -> None:
    groups = sales.menus["main"]
    assert [g.key for g in groups] == ["sales", "other"]
    assert [i.key for i in groups[0].items] == ["deal"]


def test_user_and_team_are_always_there(sales) -> None:
    assert sales.entities["user"].internal
    assert sales.entities["team"].internal
    assert "admin" in sales.roles


def test_rules_have_texts_with_values(sales) -> None:
    (rule,) = sales.entities["deal"].rules
    assert rule.field == "amount"
    assert rule.message.reads == {("number",)}


def test_the_same_content_is_compiled_once(compile_yaml) -> None:
    assert compile_yaml(SALES).model is compile_yaml(SALES).model


def test_where_things_were_written(sales) -> None:
    assert str(sales.origins["entity.deal.fields.amount"]) == "a.yaml:27:3"


def test_extending_takes_fields_and_form(model_of) -> None:
    model = model_of(
        """
        entity: category
        abstract: true
        fields:
          name: {type: text, required: true}
          parent: {type: link, to: category, tree: true, inverse: children}
        form: {category: {fields: [name, parent]}}
        ---
        entity: product_category
        extends: category
        fields: {name: {max_length: 80}, code: {type: text}}
        ---
        entity: topic
        extends: category
        """
    )
    assert "category" not in model.entities
    product = model.entities["product_category"]
    assert product.fields["name"].required
    assert product.fields["name"].type.max_length == 80
    assert product.fields["parent"].type.to == "product_category"
    assert model.entities["topic"].inverses["children"].entity == "topic"
    assert [f.field for f in product.form.sections[0].fields] == ["name", "parent"]


def test_a_written_inverse_has_its_name_before_an_inherited_one(model_of) -> None:
    model = model_of(
        """
        entity: event
        fields:
          subject: {type: text}
          attendees: {type: links, to: contact, inverse: events}
          host: {type: link, to: contact, inverse: hosting}
        ---
        entity: contact
        fields: {name: {type: text}}
        ---
        entity: trip
        extends: event
        fields: {partners: {type: links, to: contact, inverse: trips}}
        """
    )
    lists = {name: (i.entity, i.field) for name, i in model.entities["contact"].inverses.items()}
    assert lists["trips"] == ("trip", "partners")
    assert lists["trip_attendees"] == ("trip", "attendees")
    assert lists["trip_host"] == ("trip", "host")
    assert lists["events"] == ("event", "attendees")


def test_steps_go_through_lists_of_records(model_of) -> None:
    model_of(
        """
        entity: deal
        fields:
          name: {type: text}
          account: {type: link, to: account, inverse: deals}
          contacts: {type: links, to: contact, columns: {part: {type: text}}}
        ---
        entity: account
        fields: {name: {type: text}}
        ---
        entity: contact
        fields: {name: {type: text}}
        ---
        workflow: w
        on: {record: deal, changed: [name]}
        steps:
          - {find: contact, where: name == record.name, as: known, many: true}
          - {each: =account.deals, filter: "name != this.name", steps: [{update: =item, set: {name: x}}]}
          - {each: =known, steps: [{log: "{item.name}"}]}
          - {link: =record.contacts, to: =first(known), set: {part: buyer}}
          - {unlink: =contacts, to: =first(contacts)}
        """
    )


def test_of_a_portal_role_me_is_the_contact(model_of) -> None:
    model = model_of(
        """
        entity: account
        fields: {name: {type: text}}
        ---
        entity: contact
        fields: {account: {type: link, to: account}}
        ---
        entity: deal
        fields: {account: {type: link, to: account}}
        ---
        role: customer
        portal: true
        where: account == me.account
        grants: {deal: {read: all, update: account == me.account}}
        """
    )
    role = model.roles["customer"]
    assert role.where is not None
    assert role.grants["deal"].level("update").formula is not None


def test_a_later_layer_places_its_fields(model_of) -> None:
    model = model_of(
        """
        entity: deal
        fields: {name: {type: text}, amount: {type: money}, city: {type: text}}
        form: {basics: {fields: [name, amount, city]}}
        views: {open: {columns: [name, amount, city]}}
        """,
        """
        entity: deal
        fields:
          margin: {type: percent, place: {section: basics, after: amount, column: {after: name}}}
        """,
    )
    deal = model.entities["deal"]
    assert [f.field for f in deal.form.sections[0].fields] == ["name", "amount", "margin", "city"]
    assert deal.views["open"].columns == ("name", "margin", "amount", "city")


def test_any_sql_word_may_be_an_entity(model_of) -> None:
    model = model_of(
        "entity: order\nfields: {select: {type: text}, group: {type: link, to: user_group}}\n---\nentity: user_group"
    )
    assert set(model.entities) >= {"order", "user_group"}


def test_translations_by_path(model_of) -> None:
    model = model_of(
        """
        entity: deal
        fields: {amount: {type: money}, priority: {type: choice, choices: [low, {high: {color: red}}]}}
        rules: {cap: {check: amount > 0, message: Too low.}}
        ---
        pipeline: sales
        entity: deal
        stages: {won: {type: won, label: Won}}
        """,
        i18n={
            "zh-Hans": """
                entity.deal.label: 商机
                entity.deal.fields.amount.label: 金额
                entity.deal.fields.priority.choices.high.label: 高
                entity.deal.rules.cap.message: 太低
                pipeline.sales.stages.won.label: 赢单
                system.fields.created_at.label: 创建时间
                """
        },
    )
    deal = model.entities["deal"]
    assert deal.label.in_language("zh-Hans-CN") == "商机"
    assert deal.fields["amount"].label.in_language("zh-Hans") == "金额"
    assert deal.fields["priority"].type.option("high").label.in_language("zh-Hans") == "高"
    assert deal.rules[0].text.in_language("zh-Hans") == "太低"
    assert deal.fields["stage"].type.option("won").label.in_language("zh-Hans") == "赢单"
    assert deal.pipelines["sales"].stages["won"].label.in_language("zh-Hans") == "赢单"
    assert deal.fields["created_at"].label.in_language("zh-Hans") == "创建时间"
    assert model.languages == ("en", "zh-Hans")


def test_tenant_profile(compile_yaml) -> None:
    compiled = compile_yaml(
        "template: retail\nversion: 1.0.0\nsettings: {points: {type: decimal, default: 1}, name: {type: text, default: 1.10}}",
        "tenant: north\nlabel: North\ntemplate: retail ^1\ntime_zone: Europe/Berlin\ncurrency: EUR\nsettings: {points: 2}",
    )
    assert compiled.problems == []
    assert compiled.profile.settings == {"points": Decimal(2), "name": "1.10"}
    assert (compiled.profile.template, compiled.profile.region) == ("retail", "DE")


def test_texts_keep_their_characters(model_of) -> None:
    model = model_of(
        """
        entity: version
        label: 1.10
        fields:
          number: {type: text, default: 1.10}
          at: {type: text, default: 2024-01-01, label: 010}
          yes: {type: choice, choices: [no, yes, 010]}
          formula: {type: text, default: ==x}
        """
    )
    fields = model.entities["version"].fields
    assert str(model.entities["version"].label) == "1.10"
    assert fields["number"].default.evaluate(None) == "1.10"
    assert fields["at"].default.evaluate(None) == "2024-01-01"
    assert str(fields["at"].label) == "010"
    assert [c.key for c in fields["yes"].type.options()] == ["no", "yes", "010"]
    assert fields["formula"].default.evaluate(None) == "=x"


def test_no_form_asks_for_chances_that_no_stage_has(model_of) -> None:
    text = "entity: job\nfields: {name: {type: text}}\n---\npipeline: jobs\nentity: job\nstages: {new: {}, done: {type: done}}\n"
    assert "form" in model_of(text).entities["job"].fields["probability"].hidden
    assert not model_of(text.replace("new: {}", "new: {probability: 10}")).entities["job"].fields["probability"].hidden


def test_tags_are_a_field_where_they_are_asked_for_and_there_are_none(model_of) -> None:
    model = model_of(
        """
        entity: firm
        fields: {name: {type: text}}
        features: {tags: true}
        ---
        entity: person
        fields: {name: {type: text}, words: {type: tags}}
        features: {tags: true}
        ---
        entity: plain
        fields: {name: {type: text}}
        """
    )
    entities = {key: model.entities[key] for key in ("firm", "person", "plain")}
    found = {key: [f.key for f in e.fields.values() if f.type.name == "tags"] for key, e in entities.items()}
    assert found == {"firm": ["tags"], "person": ["words"], "plain": []}
    assert not model.entities["firm"].fields["tags"].system
