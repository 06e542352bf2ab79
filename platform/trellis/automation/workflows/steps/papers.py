"""Making papers."""

from __future__ import annotations

from trellis.automation.documents.keeping import keep
from trellis.automation.documents.maker import make
from trellis.automation.workflows.context import MEANS, StepContext, StepFailed
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.model.automation import steps


@does(steps.MakeDocument)
def _document(ctx: StepContext, step: steps.MakeDocument) -> Outcome:
    document = ctx.tenant.model.documents[step.document]
    ref = next(iter(ctx.target(step.of)), None) if step.of is not None else ctx.run.ref
    if ref is None or ref.entity != document.entity:
        raise StepFailed(
            "The document {document} is about another entity: {entity}.", document=document.key, entity=document.entity
        )
    files = ctx.tenant.database.files
    if files is None:
        raise StepFailed("This installation keeps no files.")
    paper = make(ctx.store, document, ref.id, files=files)
    if ctx.store.session.is_trial:
        return Done(None, {"text": paper.name})  # nothing may be left of it
    kept = keep(ctx.store, document, ref.id, paper, files, means=MEANS)
    return Done([kept], {"text": paper.name})
