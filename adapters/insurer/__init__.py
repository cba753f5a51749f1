"""Insurer (保险机构): the claims service of a life insurer."""
