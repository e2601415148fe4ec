"""One module a tool: its command, its reader, its file in a snapshot, what its failures mean."""
