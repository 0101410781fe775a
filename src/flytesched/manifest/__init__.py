"""The manifest: a TOML file of schedules, of its user's; edited one table at a time."""

from flytesched.manifest.read import Manifest, NoManifest, load_manifest, parse, read

__all__ = ["Manifest", "NoManifest", "load_manifest", "parse", "read"]
