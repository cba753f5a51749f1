"""What the department servers share: a counter office with a register, a clerk and bad habits.

A mock is a department's existing system as it stands today.  It knows nothing of the gateway: it has its own
data, its own words and its own wire format.  It imports nothing from the rest of this repository.
"""
