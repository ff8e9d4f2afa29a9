"""Set-up check before a class: `python -m vae_tutorial.doctor` says what works here, and what to do about what does not.

It needs nothing but Python to start, so that it can name whatever is missing. No network is used.
"""
