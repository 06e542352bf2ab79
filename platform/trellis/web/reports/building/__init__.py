"""The report builder: what is chosen on the page, the YAML document that it makes, and the way back."""
