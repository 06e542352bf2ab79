"""Values that follow from others: kept true by every write, computed anew, compared."""
