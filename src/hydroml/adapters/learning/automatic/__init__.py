"""The algorithm *automatic*: configurations in a fixed order, raced on folds of the training part alone, and an
ensemble of the best of them."""
