"""Questions about a cluster with one answer each, whoever asks."""
