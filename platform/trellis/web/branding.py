"""A tenant's own colour."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.model.profile import TenantProfile

COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-z]{3,20}|(oklch|rgb|hsl)\([0-9a-z.,%/ ]{3,60}\)")


def brand_color(profile: TenantProfile) -> str | None:
    """The tenant's colour as CSS; None when it has none, or says something else than a colour."""
    color = str(profile.theme.get("color") or "")
    return color if COLOR.fullmatch(color) else None


def brand_css(profile: TenantProfile) -> str:
    """The stylesheet that gives the pages the tenant's hue."""
    color = brand_color(profile)
    return f":root{{--t-brand:{color}}}" if color else ""


def brand_version(profile: TenantProfile) -> str | None:
    """Changes when the stylesheet does."""
    css = brand_css(profile)
    return sha256(css.encode()).hexdigest()[:8] if css else None
