"""Experiments over seeds and settings, each one file: what runs, for which settings, and why.

`python -m vae_tutorial.experiments` lists them; `python -m vae_tutorial.experiments NAME --data FOLDER` runs what is missing.
"""
