"""Reports as the Model holds them: what is grouped, measured, asked for, drawn."""
