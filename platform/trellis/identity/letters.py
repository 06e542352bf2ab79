"""What people are written about their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.words import words

if TYPE_CHECKING:
    from trellis.identity.accounts import Account
    from trellis.model.profile import TenantProfile


def invitation(profile: TenantProfile, account: Account, language: str, link: str, by: str) -> Letter:
    """Come in: with the link that sets name and password."""
    _ = words(language)
    told = _("%(by)s invites you to work in %(company)s.", by=by, company=profile.label)
    return Letter(
        subject=_("Your account at %(company)s", company=profile.label),
        heading=_("Welcome, %(name)s", name=account.name),
        paragraphs=(
            told if by else _("You are invited to work in %(company)s.", company=profile.label),
            _("You sign in as %(email)s. Choose a password, and you are there.", email=account.email),
        ),
        button=(_("Accept the invitation"), link),
        small=(
            _("The link works once, within seven days."),
            _("You do not expect this letter? Leave it unanswered: nothing happens without you."),
        ),
        language=language,
        **in_look(profile),
    )


def new_password(profile: TenantProfile, account: Account, language: str, link: str, *, by_admin: bool) -> Letter:
    """A link that sets a new password."""
    _ = words(language)
    asked = _("Somebody, probably you, has asked for a new password for %(email)s.", email=account.email)
    given = _("An administrator gives you a link to set a new password for %(email)s.", email=account.email)
    return Letter(
        subject=_("A new password for %(company)s", company=profile.label),
        heading=_("Set a new password"),
        paragraphs=(given if by_admin else asked,),
        button=(_("Set a new password"), link),
        small=(
            _("The link works once, within two days.") if by_admin else _("The link works once, within two hours."),
            _("It was not you? Leave this letter unanswered: your password stays as it is."),
        ),
        language=language,
        **in_look(profile),
    )


def password_changed(profile: TenantProfile, account: Account, language: str, where: str) -> Letter:
    """Your password was changed: so that one learns of it when it was somebody else."""
    _ = words(language)
    return Letter(
        subject=_("Your password for %(company)s was changed", company=profile.label),
        heading=_("Your password was changed"),
        paragraphs=(
            _(
                "The password of %(email)s has just been changed, from the address %(where)s.",
                email=account.email,
                where=where,
            ),
        ),
        small=(_("It was not you? Tell an administrator at once: they can close your account."),),
        language=language,
        **in_look(profile),
    )


def factor_removed(profile: TenantProfile, account: Account, language: str) -> Letter:
    """The second factor is gone."""
    _ = words(language)
    return Letter(
        subject=_("Your second factor for %(company)s was removed", company=profile.label),
        heading=_("Your second factor was removed"),
        paragraphs=(_("Signing in as %(email)s asks for no code any more.", email=account.email),),
        small=(_("It was not you? Tell an administrator at once: they can close your account."),),
        language=language,
        **in_look(profile),
    )
