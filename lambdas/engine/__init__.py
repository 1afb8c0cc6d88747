"""Pure numerics of the detector: arrays in, arrays out."""
