"""Object types, one module per noun.  Each wraps what the desk has already cut to the viewer's sight."""
