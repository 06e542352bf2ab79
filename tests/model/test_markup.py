"""What people write is shown, and nothing of it runs."""

from __future__ import annotations

import pytest

from trellis.model.markup import markdown_text, plain_text, render_markdown, sanitise


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** _b_", "<p><strong>a</strong> <em>b</em></p>\n"),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("<b onclick=x>a</b>", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](https://b.cd)", '<p><a href="https://b.cd" rel="noopener nofollow">a</a></p>\n'),
        ("![x](data:text/html;base64,x)", "<p>![x](data:text/html;base64,x)</p>\n"),
    ],
)
def test_markdown_becomes_safe_html(text: str, html: str) -> None:
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        '<a href="javascript:alert(1)">a</a>',
        '<iframe src="https://x.yz"></iframe>',
        '<p style="position:fixed">a</p>',
        "<svg><script>1</script></svg>",
        '<form action="/x"><input></form>',
        '<code class="t-style modal">a</code>',
    ],
)
def test_nothing_that_runs_or_hides_is_left(markup: str) -> None:
    left = sanitise(markup)
    assert not any(bad in left for bad in ("script", "onerror", "javascript", "iframe", "style", "form", "input"))
    assert sanitise(left) == left


def test_text_alone_keeps_the_lines() -> None:
    assert plain_text("<p>a &amp; b</p><ul><li>c</li><li>d</li></ul>") == "a & b\nc\nd"
    assert markdown_text("# Head\n\n- a\n- **b**") == "Head\na\nb"


def test_a_piece_of_code_says_its_language() -> None:
    assert sanitise('<code class="language-python">a</code>') == '<code class="language-python">a</code>'
