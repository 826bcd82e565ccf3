"""What a trained network does: its gradients through time, its memory, its units, its surprise. Computes, never prints."""
