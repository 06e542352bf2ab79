"""The recycle bin: what a deletion takes along, restoring, purging."""
