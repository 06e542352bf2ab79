"""How records are compared in the search for duplicates: the normal forms of values, in Python.

`storage.matching` has the same forms in SQL, so that an index holds them; a test holds that both agree.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from trellis.formula.texts import lower

if TYPE_CHECKING:
    from trellis.formula.types import Value
    from trellis.model.field import Field

How = Literal["normal", "exact", "similar", "domain"]
LONGEST = 200  # characters of a normal form: an index's entries are limited
_WRITTEN = re.compile(r"\s*(?:(similar|exact|domain)\s*\(\s*)?([a-z]\w*)\s*(?:,\s*(0?\.\d+|1(?:\.0+)?)\s*)?(\))?\s*")

# as a class of a regular expression that Python and PostgreSQL read alike: what stands between words
BETWEEN = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u2000-\u206f\u3000-\u3004\u3008-\u3020\u30fb]+"
)
# the legal forms of companies, in the form in which they stand once BETWEEN is a blank
FORMS = "|".join(
    (
        "(?:und|and|et|u|y|e) co|gmbh|g m b h|mbh|ug|haftungsbeschränkt|ag|a g|kg|k g|kgaa|ohg|gbr|ek|e k|ev|e v|eg|se",
        "co|company|ltd|limited|llc|l l c|llp|lp|plc|p l c|inc|incorporated|corp|corporation|pty|pte|sdn|bhd|pvt",
        "sa|s a|sas|s a s|sarl|s a r l|srl|s r l|spa|s p a|snc|bv|b v|nv|n v|oy|oyj|ab|as|a s|aps|asa",
        "doo|d o o|sro|s r o|spol|sp z o o|zoo|kft|zrt|ooo|kk|k k",
    )
)
FORMS_AT_END = f"( ({FORMS}))+$"
CJK_FORMS_AT_END = "(股份有限公司|有限责任公司|有限公司|集团公司|公司|集团|株式会社|有限会社)+$"
CJK_FORMS_AT_START = "^(株式会社|有限会社)"
URL_START = r"^([a-z][a-z0-9+.-]*://)?(www\.)?"
URL_END = "/+$"
AFTER_HOST = "[/?#:].*"  # what follows the name of a site: its port, a path, a query
PERSON = ("last", "first", "middle")  # the parts of a name that are compared
_between, _forms = re.compile(BETWEEN), re.compile(FORMS_AT_END)
_cjk, _cjk_start = re.compile(CJK_FORMS_AT_END), re.compile(CJK_FORMS_AT_START)
_url_start, _url_end = re.compile(URL_START), re.compile(URL_END)
_after_host = re.compile(AFTER_HOST, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Match:
    """One part of a rule: the same once normalised, as written, of one site, or similar (by at least so much)."""

    field: str
    how: How = "normal"
    least: str | None = None


def read_match(text: str) -> Match | None:
    """`name`, `exact(name)`, `similar(name)`, `similar(name, 0.8)`, `domain(website)`; else None."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    how, field, least, closed = found.groups()
    if bool(how) != bool(closed) or (least is not None and how != "similar"):
        return None
    return Match(field, cast("How", how or "normal"), least)


def form_of(field: Field) -> str:
    """Which normal form a field's values have: text, email, url, name, or plain for the value itself."""
    name = field.type.name
    if name in ("email", "url", "name"):
        return name
    is_text = field.type.formula_type().kind == "text" and name in ("text", "long_text", "barcode")
    return "text" if is_text and not field.format else "plain"


def normal(field: Field, value: Value, how: How = "normal") -> Any:
    """A value as it is compared; None when it is blank, which matches nothing."""
    if value is None or not field.is_stored:
        return None
    column = field.type.to_columns(value).get("")
    form = form_of(field)
    if column is None or column == "":
        return None
    if how == "exact" or form == "plain":
        return column if how != "similar" or not isinstance(column, str) else (words(column) or None)
    if form == "name":
        return words(" ".join(str(column.get(part) or "") for part in PERSON))[:LONGEST] or None
    if how == "domain":
        return domain(str(column))[:LONGEST] or None
    return _TEXTS[form](str(column))[:LONGEST] or None


def words(text: str) -> str:
    """A text without case, width, punctuation and blanks."""
    return _spaced(text).replace(" ", "")


def company(text: str) -> str:
    """The same without the legal form that a company's name ends with, if anything is left then."""
    spaced = _spaced(text)
    bare = _forms.sub("", f" {spaced}").replace(" ", "") or spaced.replace(" ", "")
    bare = _cjk_start.sub("", bare) or bare
    return _cjk.sub("", bare) or bare


def _spaced(text: str) -> str:
    return _between.sub(" ", lower(unicodedata.normalize("NFKC", text))).strip(" ")


def _url(text: str) -> str:
    return _url_end.sub("", _url_start.sub("", lower(text)))


def domain(text: str) -> str:
    """The site that an address is of, without `www.`, port and path."""
    return _after_host.sub("", _url_start.sub("", lower(text)))


_TEXTS = {"text": company, "email": lower, "url": _url}
