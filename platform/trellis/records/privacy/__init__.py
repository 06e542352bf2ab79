"""Data of persons: who has read it, what is held about somebody, giving it out, erasing it."""
