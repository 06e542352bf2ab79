"""What a draft will look like: drawn from its own Model by the pieces that the real pages are made of."""
