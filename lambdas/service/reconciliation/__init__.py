"""Records follow the executions that do their work, and go on when one of these ends badly."""
