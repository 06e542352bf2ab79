"""Links to records that come later in the data: made before the next file, which may depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trellis.packaging.provision import system_store
from trellis.records.transfer import load_data

YAML = """
entity: breed
key: code
fields:
  code: {type: text, unique: true, required: true}
  parent: {type: link, to: breed, tree: true, inverse: children}
---
entity: dog
fields:
  name: {type: text, required: true}
  breed: {type: link, to: breed, required: true, filter: not is_blank(parent), inverse: dogs}
"""


def test_a_filter_sees_links_within_an_earlier_file(make_tenant: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "seed"
    folder.mkdir(parents=True)
    (folder / "breed.csv").write_text("code,parent\nBeagle,Dog\nDog,\n", "utf-8")
    (folder / "dog.csv").write_text("name,breed\nRex,Beagle\nPuss,Cat\n", "utf-8")
    report = load_data(system_store(make_tenant(YAML)), [tmp_path], "seed")
    assert report.created == {"breed": 2, "dog": 1}
    assert [failure.rpartition("dog.csv")[2] for failure in report.failures] == [":3: breed: “Cat” names no record."]
