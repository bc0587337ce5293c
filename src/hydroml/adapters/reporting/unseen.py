"""Characters that are not seen and change how others are: they would break a picture, or turn words around."""

_CONTROLS = (*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xFFFE, 0xFFFF)
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
UNSEEN = dict.fromkeys((*_CONTROLS, *_DIRECTIONS))
"""For `str.translate`, which takes them away."""
