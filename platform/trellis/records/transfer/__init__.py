"""Records in and out as files: import, export, and loading a layer's `data/`."""

from trellis.records.transfer.exporter import (
    Place,
    export_csv,
    export_lines,
    exportable,
    far_place,
    stream_csv,
    stream_pages,
)
from trellis.records.transfer.importer import ImportSummary, RowOutcome, import_table
from trellis.records.transfer.loader import LoadReport, load_data
from trellis.records.transfer.mapping import BadMapping, ImportMap, read_mapping
from trellis.records.transfer.reading import Unreadable, read_table

__all__ = [
    "BadMapping",
    "ImportMap",
    "ImportSummary",
    "LoadReport",
    "Place",
    "RowOutcome",
    "Unreadable",
    "export_csv",
    "export_lines",
    "exportable",
    "far_place",
    "import_table",
    "load_data",
    "read_mapping",
    "read_table",
    "stream_csv",
    "stream_pages",
]
