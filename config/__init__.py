"""What can be set, how it is read, and every mistake told at once with file, line and key."""
