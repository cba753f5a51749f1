"""Shared e-certificate library (共享电子证照库): who a person is, and which papers are held of them."""
