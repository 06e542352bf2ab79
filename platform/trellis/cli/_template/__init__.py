"""The subcommands of `trellis template`."""
