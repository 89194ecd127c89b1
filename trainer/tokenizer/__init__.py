"""BERT's tokenizer in core TensorFlow operations."""

from trainer.tokenizer.bert import BertTokenizer

__all__ = ["BertTokenizer"]
