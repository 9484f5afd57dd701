"""The floor both apps stand on: no models, and no imports from above."""
