"""What kinds of reports call their own columns and groups, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _


def own_texts() -> dict[str, str]:
    """The platform's own names by what they are in English."""
    return {
        "Stage": _("Stage"),
        "Came this far": _("Came this far"),
        "From the stage before": _("From the stage before"),
        "Of all": _("Of all"),
        "Lost here": _("Lost here"),
        "Still here": _("Still here"),
        "Mean time in stage": _("Mean time in stage"),
        "Worth": _("Worth"),
        "Adjustment": _("Adjustment"),
        "With adjustment": _("With adjustment"),
        "Period before": _("Period before"),
        "Year before": _("Year before"),
        "Change": _("Change"),
        "Closed and commit": _("Closed and commit"),
        "Closed, commit and best case": _("Closed, commit and best case"),
        "Open pipeline": _("Open pipeline"),
        "Size": _("Size"),
        "Target": _("Target"),
        "Achievement": _("Achievement"),
        "Segment": _("Segment"),
        "Customers": _("Customers"),
        "Share": _("Share"),
        "Mean days since": _("Mean days since"),
        "Mean number": _("Mean number"),
        "Mean amount": _("Mean amount"),
        "Together": _("Together"),
        "Records": _("Records"),
        "Age": _("Age"),
        "Forecast category": _("Forecast category"),
        "Champions": _("Champions"),
        "Can't lose them": _("Can't lose them"),
        "Loyal": _("Loyal"),
        "New customers": _("New customers"),
        "Promising": _("Promising"),
        "Potential loyalists": _("Potential loyalists"),
        "Need attention": _("Need attention"),
        "About to sleep": _("About to sleep"),
        "At risk": _("At risk"),
        "Hibernating": _("Hibernating"),
        "Lost customers": _("Lost customers"),
        "Important: valued": _("Important: valued"),
        "Important: keep": _("Important: keep"),
        "Important: develop": _("Important: develop"),
        "Important: win back": _("Important: win back"),
        "General: valued": _("General: valued"),
        "General: keep": _("General: keep"),
        "General: develop": _("General: develop"),
        "General: win back": _("General: win back"),
    }
