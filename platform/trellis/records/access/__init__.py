"""Who may do what: the roles' grants as SQL predicates, and why they say what they say."""
