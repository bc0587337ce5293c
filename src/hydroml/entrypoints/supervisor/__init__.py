"""The processes of an embedded installation, and the one that holds them."""
