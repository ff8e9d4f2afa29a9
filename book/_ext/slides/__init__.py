"""Slides of the 90-minute session, made from the pages."""
