"""The Data Studio: steps, recipes and the sessions that hold them."""
