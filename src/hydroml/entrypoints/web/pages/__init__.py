"""The pages: thin Django views that render a frame; everything in it comes from the HTTP API."""
