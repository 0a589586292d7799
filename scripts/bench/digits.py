"""A figure as it is shown."""


def number(value: float) -> str:
    """Return a figure with as many digits as mean anything."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
