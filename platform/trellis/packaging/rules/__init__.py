"""What a template for others has to have, beside being right: one function for each rule, in a registry."""

from trellis.packaging.rules import papers, records, words
from trellis.packaging.rules.registry import RULES, Subject, check_template

__all__ = ["RULES", "Subject", "check_template", "papers", "records", "words"]
