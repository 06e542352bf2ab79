"""What libyaml says of a text that is no YAML: its few sentences, so that they can be said in other languages."""

from __future__ import annotations

from trellis.config.phrase import phrase

SENTENCES = {
    str(sentence): sentence
    for sentence in (
        phrase("while parsing a block mapping"),
        phrase("while parsing a block collection"),
        phrase("while parsing a flow mapping"),
        phrase("while parsing a flow sequence"),
        phrase("while parsing a node"),
        phrase("while parsing a block node"),
        phrase("while parsing a flow node"),
        phrase("while parsing a quoted scalar"),
        phrase("while scanning a simple key"),
        phrase("while scanning a quoted scalar"),
        phrase("while scanning a plain scalar"),
        phrase("while scanning a block scalar"),
        phrase("while scanning for the next token"),
        phrase("while scanning an anchor"),
        phrase("while scanning an alias"),
        phrase("while scanning a tag"),
        phrase("while scanning a directive"),
        phrase("did not find expected key"),
        phrase("did not find expected ',' or ']'"),
        phrase("did not find expected ',' or '}}'"),
        phrase("did not find expected '-' indicator"),
        phrase("did not find expected node content"),
        phrase("did not find expected <document start>"),
        phrase("did not find expected alphabetic or numeric character"),
        phrase("did not find expected comment or line break"),
        phrase("did not find expected hexdecimal number"),
        phrase("could not find expected ':'"),
        phrase("mapping values are not allowed in this context"),
        phrase("mapping keys are not allowed in this context"),
        phrase("block sequence entries are not allowed in this context"),
        phrase("found character that cannot start any token"),
        phrase("found unexpected end of stream"),
        phrase("found unexpected document indicator"),
        phrase("found unexpected ':'"),
        phrase("found a tab character where an indentation space is expected"),
        phrase("found a tab character that violates indentation"),
        phrase("found unknown escape character"),
        phrase("found undefined tag handle"),
    )
}


def sentence_of(text: str | None) -> str:
    """The sentence, so that it can be translated; a text of another kind as it is."""
    return SENTENCES.get(text or "", text or "")
