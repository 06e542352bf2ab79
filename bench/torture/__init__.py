"""`make torture`: workers killed at random moments while runs go on; afterwards everything is counted."""
