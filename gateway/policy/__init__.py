"""Policy is data: one file per jurisdiction, shared catalogues, a calendar per year.

``model`` says what a file may contain, ``loader`` reads and checks the files, ``book`` answers questions of them.
"""
