"""Templates into Python: what is the same on every page, its icons, is written out once, when one is compiled."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from trellis.web.assets import icon


class WithIcons(CodeGenerator):
    """Jinja's code generator, for which an icon whose name stands in the template is text like any other.

    A page has a hundred icons: most of them are then in one piece with the markup around them.
    """

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "icon":
            given = [one.as_const(frame.eval_ctx) for one in node.args]
            if not (node.kwargs or node.dyn_args or node.dyn_kwargs):
                return str(icon(*given))
        return super()._output_child_to_const(node, frame, finalize)
