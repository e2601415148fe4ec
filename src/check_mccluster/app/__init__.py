"""What brings the layers together: the command line, its options, a session, the commands."""
