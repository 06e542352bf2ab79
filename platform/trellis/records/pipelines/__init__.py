"""Records in stages: moves and gates, and the time spent in each stage."""
