"""What strangers see: pages without a person behind them, which other sites may show in a frame."""
