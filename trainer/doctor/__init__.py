"""What this machine and environment lack: `python -m trainer.doctor`."""
