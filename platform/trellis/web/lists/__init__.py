"""What the pages that show many records share: the state in the address, saved views, and rows made into HTML."""
