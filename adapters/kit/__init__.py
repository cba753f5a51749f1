"""What every adapter may use: transports with translated errors, hardened XML, money and time helpers."""
