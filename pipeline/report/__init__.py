"""One static HTML page per run: `python -m pipeline.report --help`.

No TFX, no TensorFlow, no script and nothing from a network: the page is made
of the metadata store and the artifacts' files, and stands alone.
"""
