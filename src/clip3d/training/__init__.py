"""Training: objectives, recipes and the loop."""
