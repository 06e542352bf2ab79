"""Single records that are open to a person or a team beside what the roles say."""
