"""From layers to a Model: stack, check, resolve. Whatever is wrong is a Problem; nothing raises."""

from trellis.model.compile.compiled import Compiled, compile_layers

__all__ = ["Compiled", "compile_layers"]
