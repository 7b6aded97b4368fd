"""Streets with traffic, seen by a ray-cast lidar and a camera, with exact truth."""
