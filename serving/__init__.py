"""How a trained model is asked: bundles, ScaNN index, server and client.

Works on saved bundles only and never imports the trainer.
"""
