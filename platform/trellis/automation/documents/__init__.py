"""Papers made from records: a Jinja file of the layer, filled in under somebody's rights, as PDF.

    paper = make(store, store.tenant.model.documents["quote-pdf"], "quote", id)
    paper.name, paper.content

The template runs in a process of its own that has neither the database nor the network nor any file but fonts: it asks
for what it shows, value by value, and is stopped when it takes too long.
"""
