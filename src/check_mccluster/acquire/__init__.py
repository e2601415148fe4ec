"""Where the text comes from: the tools of this machine, or a snapshot of another."""
