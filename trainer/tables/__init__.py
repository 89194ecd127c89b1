"""Reads the tables of the data contract, and names what is wrong with them."""

from trainer.tables.dataset import Dataset, load_dataset
from trainer.tables.events import Events
from trainer.tables.items import Items, split_categories
from trainer.tables.users import Users

__all__ = [
    "Dataset",
    "Events",
    "Items",
    "Users",
    "load_dataset",
    "split_categories",
]
