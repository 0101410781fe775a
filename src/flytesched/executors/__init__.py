"""How a run is carried out: as a local process, or as a Python callable."""
