"""The functions of the formula language, a module for each family."""
