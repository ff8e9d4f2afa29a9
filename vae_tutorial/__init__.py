"""The small PyTorch module behind the book *Variational Autoencoders, Live*.

Importing it does nothing else: no download, no printing, no widgets.
"""

__version__ = "0.1.0"
