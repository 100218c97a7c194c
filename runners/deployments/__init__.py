"""Deployments to run cases on: started here as processes, or running elsewhere."""
