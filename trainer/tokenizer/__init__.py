"""Tokenizers of the BERT family in core TensorFlow operations."""

from trainer.tokenizer.bert import BertTokenizer
from trainer.tokenizer.choice import in_graph_tokenizer

__all__ = ["BertTokenizer", "in_graph_tokenizer"]
