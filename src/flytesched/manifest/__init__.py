"""The manifest: a TOML file of schedules, of its user's; edited one table at a time."""

from flytesched.manifest.read import Manifest, NoManifest, parse, read

__all__ = ["Manifest", "NoManifest", "parse", "read"]
