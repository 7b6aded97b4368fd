"""Pictures of clouds: shaded views and depth maps."""
