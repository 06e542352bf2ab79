"""Packing, checking, installing industry templates; making tenants of them."""
