"""Being told: what there is to tell, by which channels, in which words, and when a run is late."""
