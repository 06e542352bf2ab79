"""How records are read: one statement for each question, under the reader's permissions."""
