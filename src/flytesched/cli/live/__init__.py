"""The live screen: keys in, pictures out; ``flytesched top`` is its only way in."""
