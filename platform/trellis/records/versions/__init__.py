"""What has happened: the history, records as they were, batches and undoing them."""
