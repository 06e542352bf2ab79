"""Playing the scenarios of a layer, one after the other on one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from trellis.packaging.scenarios.play import play
from trellis.packaging.scenarios.stage import open_stage

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.model.scenario import Scenario
    from trellis.packaging.scenarios.findings import Played
    from trellis.storage.catalogue import Catalogue

# what is thrown away may be lost when the machine falls over: it is faster for that
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def play_all(
    catalogue: Catalogue, layers: Sequence[Layer], wanted: Callable[[Scenario], bool] | None = None
) -> Iterator[Played]:
    """Play the scenarios of the last of the layers on a tenant of all of them. Raises BrokenConfiguration."""
    with open_stage(catalogue, layers) as stage:
        for scenario in stage.tenant.model.scenarios:
            if wanted is None or wanted(scenario):
                yield play(stage, scenario)
