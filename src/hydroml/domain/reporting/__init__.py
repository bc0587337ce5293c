"""Documents about runs and models, for people to hand on: what stands in them, whatever they are written as."""
