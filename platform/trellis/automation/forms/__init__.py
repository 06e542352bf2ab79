"""Public forms: what a stranger sends in becomes a record by the door, with the system's rights, and a workflow runs.

The page and the JSON address are the web's; here is what counts for both: what was typed is read and checked, each
page that was filled in counts once, what looks like a machine's is laid aside, and an address is confirmed first.
"""
