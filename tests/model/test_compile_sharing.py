"""Tenants with nothing of their own but a manifest share one Model."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.config.layer import Layer, layer_from_files
from trellis.model.compile import compile_layers

CORE = {"schemas/deal.yaml": "entity: deal\nlabel: Deal\ntitle: name\nfields:\n  name: {type: text, required: true}\n"}


def layers(slug: str, manifest: str = "", **files: str) -> list[Layer]:
    own: Mapping[str, str] = {"tenant.yaml": f"tenant: {slug}\nlabel: {slug.title()}\n{manifest}", **files}
    return [layer_from_files("core", CORE), layer_from_files(slug, own, f"tenants/{slug}")]


def test_manifests_upon_the_same_layers_share_a_model() -> None:
    one = compile_layers(layers("one", "currency: EUR\n"))
    two = compile_layers(layers("two", "currency: CNY\nlanguage: zh-Hans\n"))
    assert one.model is not None
    assert two.model is one.model
    assert one.profile is not None
    assert two.profile is not None
    assert (one.profile.key, one.profile.currency) == ("one", "EUR")
    assert (two.profile.key, two.profile.currency, two.profile.language) == ("two", "CNY", "zh-Hans")
    assert "tenants/two/tenant.yaml" in two.sources
    assert "tenants/one/tenant.yaml" not in two.sources


def test_a_broken_manifest_is_told_and_disturbs_no_other() -> None:
    assert compile_layers(layers("good")).is_sound
    bad = compile_layers(layers("bad", "currency: GOLD\n"))
    assert not bad.is_sound
    assert [(p.mark.file, p.mark.line) for p in bad.problems if p.mark] == [("tenants/bad/tenant.yaml", 3)]
    assert compile_layers(layers("good-again")).is_sound


def test_a_layer_of_ones_own_makes_a_model_of_ones_own() -> None:
    plain = compile_layers(layers("plain"))
    more = {"schemas/more.yaml": "entity: deal\nfields:\n  size: {type: integer}\n"}
    own = compile_layers([layers("own")[0], layer_from_files("own", {"tenant.yaml": "tenant: own\n", **more})])
    assert plain.model is not None
    assert own.model is not None
    assert own.model.hash != plain.model.hash
    assert "size" in own.model.entities["deal"].fields
    assert "size" not in plain.model.entities["deal"].fields


def test_a_manifest_that_shapes_the_model_shares_nothing() -> None:
    plain = compile_layers(layers("plain"))
    lacking = compile_layers(layers("lacking", "without: [entity.deal]\n"))
    assert lacking.model is not plain.model
