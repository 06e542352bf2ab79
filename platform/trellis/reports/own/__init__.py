"""Reports and variants that people save: their rows, what they compile to, who sees which."""
