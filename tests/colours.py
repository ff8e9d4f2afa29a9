"""Colours as WCAG 2.2 sees them: relative luminance and contrast."""


def channels(colour: str) -> tuple[float, float, float]:
    """`#rrggbb` or `#rgb` → red, green, blue in [0, 1]."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[0:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:6], 16) / 255


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 … 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def is_neutral(colour: str) -> bool:
    """Black, white or a grey, be it slightly tinted."""
    return max(channels(colour)) - min(channels(colour)) <= 16 / 255
