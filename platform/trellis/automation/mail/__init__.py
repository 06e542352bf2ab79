"""Mail that goes out: letters in our look, put into the queue with the change that causes them, sent by a worker.

    with tenant.begin() as connection:
        letter = Letter(subject, heading, paragraphs, button, language=language, **in_look(tenant.profile))
        post(connection, tenant, "anna@acme.example", letter, "reminder")

Nothing is sent before the transaction is committed, and nothing of what is rolled back. `account.is_set_up(tenant)`
tells whether letters can go out at all; `words.words(language)` gives gettext in the language of whoever reads.
"""
