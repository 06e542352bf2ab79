"""How papers look before their own style: quiet, on white, with page numbers below."""

from __future__ import annotations

import re

from trellis.model.automation.document import DocumentTemplate

MARGINS = {"top": "18mm", "right": "18mm", "bottom": "20mm", "left": "18mm"}
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_SMALL = 'font: 400 7.5pt "Noto Sans SC", sans-serif; color: #6b7280; font-feature-settings: "locl" 0, "liga" 0;'
_PAGE = """
@page {{ size: {size}; margin: {top} {right} {bottom} {left};
  @top-left {{ content: "{{header}}"; {small} }}
  @bottom-left {{ content: "{{footer}}"; {small} }}
  @bottom-right {{ content: counter(page) " / " counter(pages); {small} }}
}}
"""
# no local forms and ligatures: what is copied out of the PDF would not be what one sees
_BASE = """
* { box-sizing: border-box; }
html { font: 400 9.5pt/1.5 "Noto Sans SC", sans-serif; color: #111827; font-feature-settings: "locl" 0, "liga" 0; }
body { margin: 0; }
h1 { font-size: 20pt; line-height: 1.2; font-weight: 600; margin: 0 0 2mm; }
h2 { font-size: 11.5pt; font-weight: 600; margin: 7mm 0 2mm; }
h3 { font-size: 9.5pt; font-weight: 600; margin: 4mm 0 1mm; }
p { margin: 0 0 2.5mm; }
a { color: inherit; text-decoration: none; }
img { max-width: 100%; }
table { width: 100%; border-collapse: collapse; }
thead { display: table-header-group; }
tr { page-break-inside: avoid; break-inside: avoid; }
th { text-align: left; font-weight: 600; font-size: 8pt; color: #6b7280; padding: 1.6mm 2mm; vertical-align: bottom;
  border-bottom: 0.6pt solid #9ca3af; }
td { padding: 2mm; border-bottom: 0.4pt solid #e5e7eb; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
hr { border: 0; border-top: 0.6pt solid #e5e7eb; margin: 5mm 0; }
.num { text-align: right; white-space: nowrap; }
.small { font-size: 8pt; color: #6b7280; }
.keep { page-break-inside: avoid; break-inside: avoid; }
.accent { color: {color}; }
"""


def style_of(document: DocumentTemplate, color: str) -> str:
    """The style of a paper: the page, what all papers share, then its own; {header} and {footer} are still to come."""
    size = f"{document.paper} {'landscape' if document.landscape else 'portrait'}"
    page = _PAGE.format(size=size, small=_SMALL, **{**MARGINS, **document.margins})
    base = _BASE.replace("{color}", color if _HEX.fullmatch(color) else "#374151")
    return page + base + document.style.replace("</", "<\\/")
