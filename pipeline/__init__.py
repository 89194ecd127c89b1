"""The TFX pipeline: from raw logs to a blessed, pushed model.

The only package that imports TFX, Beam, TFT, TFDV and TFMA.
"""
