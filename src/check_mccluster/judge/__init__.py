"""Rules: pure functions from the model to findings. No I/O, no clock, no environment."""
