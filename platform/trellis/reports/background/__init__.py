"""Reports that run in the background: asked for, computed under the reader's rights, kept for a day."""
