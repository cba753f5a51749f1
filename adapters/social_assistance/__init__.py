"""Social assistance (社会救助): JSON with Chinese keys over HTTP, behind a session login."""
