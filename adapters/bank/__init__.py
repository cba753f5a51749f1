"""Bank (银行): a message queue behind a TCP front, XML messages."""
