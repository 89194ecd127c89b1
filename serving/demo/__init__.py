"""A web page that asks a running server."""
