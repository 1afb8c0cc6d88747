"""`l4e prepare`: an export as it comes, turned into files that the service takes.

What belongs to a file is decided once for the file, from all of its rows: one module per decision. Each
decision is shown with its evidence. What cannot be decided is asked, and `--set KEY=VALUE` is the answer.
"""
