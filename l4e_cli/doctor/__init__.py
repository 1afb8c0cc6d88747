"""`l4e doctor`: what only an account can settle, looked at with the credentials of whoever asks.

Each area is a module: `collect` reads facts, `check` says what they mean and reads nothing.
"""
