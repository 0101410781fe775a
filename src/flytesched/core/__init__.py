"""Pure scheduling: values in, decisions out. No clock, file, process or environment here."""
