"""The version of a workflow that a run began with, though the configuration has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.model.automation.workflow import Workflow
from trellis.storage.catalogue import compile_or_raise

if TYPE_CHECKING:
    from trellis.automation.workflows.run import Run
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant


class Gone(Exception):
    """The version that a run began with cannot be had any more."""


def workflow_of(catalogue: Catalogue, tenant: Tenant, run: Run) -> Workflow:
    """The workflow as it was when the run began. Raises Gone."""
    live = tenant.model.workflows.get(run.workflow)
    if live is not None and live.digest == run.digest:
        return live
    try:
        model, _profile = compile_or_raise(catalogue.revision(tenant.slug, run.revision).layers)
    except Exception as error:
        raise Gone(f"revision {run.revision}, with which the run began, cannot be read: {error}") from error
    found = model.workflows.get(run.workflow)
    if found is None:
        raise Gone(f"there is no workflow {run.workflow} in revision {run.revision}")
    return found
