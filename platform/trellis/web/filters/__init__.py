"""Filters of a list: chips in the address, their formula, and the fields and operators that the builder offers."""
