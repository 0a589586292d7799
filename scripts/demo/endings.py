"""How an order ended, and how it should have."""

from demo import services
from demo.orders import Order
from hephaestus import Instance

TOO_LARGE = 500_000
"""From so many cents on, the manager declines."""

TOO_MANY_GIFTS = 10
"""From so many gift cards on, the fraud bureau gets suspicious."""


def ending(instance: Instance) -> str:
    """Return how a run ended: its own word for it, or failed, or cancelled."""
    return instance.status if instance.result is None else str(instance.result["ending"])


def expected(order: Order) -> str:
    """Return how the run of an order has to end, once the broken carrier is repaired."""
    if order.country not in services.CARRIERS:
        return "refused"
    if sum(item.quantity for item in order.items if item.article == "gift card") >= TOO_MANY_GIFTS:
        return "suspicious"
    if order.cents >= TOO_LARGE:
        return "declined"
    if order.intent == "cancel":
        return "cancelled"
    if order.intent == "not pay":
        return "unpaid"
    return "shipped" if order.postcode else "failed"
