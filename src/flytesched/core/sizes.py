"""Sizes: amounts of bytes as people read them."""

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def format_size(count: int) -> str:
    """Return an amount of bytes: ``512 B``, ``12.3 MiB``."""
    if count < 1024:
        return f"{count} B"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:,.1f} {_UNITS[power - 1]}"
