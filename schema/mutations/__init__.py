"""Mutations: each translates its input, calls one use case, and answers with its payload and typed user errors."""
