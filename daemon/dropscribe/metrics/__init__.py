"""What a running daemon shows of itself on loopback: figures, and whether it makes progress."""
