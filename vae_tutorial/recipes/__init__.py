"""One short file per shipped checkpoint: constants with their reasons, and a `train` that makes it.

`python -m vae_tutorial.recipes` lists them; `python -m vae_tutorial.recipes NAME --data FOLDER` remakes one.
"""
