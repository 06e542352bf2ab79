"""The letter that asks whether an address is one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.words import words

if TYPE_CHECKING:
    from trellis.automation.forms.form import Form
    from trellis.model.profile import TenantProfile


def confirmation(profile: TenantProfile, form: Form, language: str, link: str) -> Letter:
    """Was it you? With the link that says yes."""
    _ = words(language)
    label = form.trigger.label.in_language(language)
    return Letter(
        subject=_("Please confirm your e-mail address"),
        heading=_("Is this your address?"),
        paragraphs=(
            _("Somebody, probably you, has sent “%(form)s” to %(company)s.", form=label, company=profile.label),
            _("It is taken as soon as you say that this address is yours."),
        ),
        button=(_("Yes, this is my address"), link),
        small=(
            _("The link works once, within seven days."),
            _("It was not you? Leave this letter unanswered: nothing happens without you."),
        ),
        language=language,
        **in_look(profile),
    )
