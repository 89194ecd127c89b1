"""SASRec on the trainer's data and evaluation: a height that is published."""
