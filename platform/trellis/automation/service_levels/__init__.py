"""Service levels at work: the clocks of records, moved by saves, and what happens when their time is up."""
