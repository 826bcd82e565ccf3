"""What a trained network does: gradients through time, memory, units, surprise. Computes, never prints."""
