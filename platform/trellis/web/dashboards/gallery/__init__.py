"""The gallery of widgets: what can be put on a dashboard in the browser, and the choices of each kind."""
