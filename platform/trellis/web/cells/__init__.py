"""Cells: how a value is shown in a list, on a card and in a panel. One renderer a `FieldType.cell`, in a registry.

A renderer is made once for a column and called once for a row, so that a page of 50 rows asks for nothing twice.
"""

from __future__ import annotations

from trellis.web.cells import boolean, choice, compound, files, links, numbers, text, times
from trellis.web.cells.column import Column, column_for, columns_for
from trellis.web.cells.registry import CELLS, CellContext, Render, cell, renderer

__all__ = [
    "CELLS",
    "CellContext",
    "Column",
    "Render",
    "boolean",
    "cell",
    "choice",
    "column_for",
    "columns_for",
    "compound",
    "files",
    "links",
    "numbers",
    "renderer",
    "text",
    "times",
]
