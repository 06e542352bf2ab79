"""How records are written: what is given, what is checked, the rows and what hangs on them."""
