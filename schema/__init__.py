"""The GraphQL edge: types, inputs and thin resolvers over the desk."""

from schema.http import routes

__all__ = ["routes"]
