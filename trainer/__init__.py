"""Learns a two-tower recommender that reads. TensorFlow only, no TFX.

tensorflow-recommenders and transformers' TensorFlow models are written for
Keras 2, which TensorFlow takes from tf-keras when this flag is set before
Keras is first touched.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
