"""Measures: Trellis against hand-written code on the same tables, interleaved in one run."""
