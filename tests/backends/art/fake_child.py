"""Stands in for the child process of the networks: no process, no packages, and pictures all the same."""

import asyncio

from backends.child import ChildAnswer
from tests.utils.pictures import opened, picture


class FakeChild:
    """Enlarges without a process or a network."""

    def __init__(self, *, hold=False):
        self.hold = hold
        self.working = 0
        self.failure = None
        self.orders = []
        self.blobs = []

    async def ask(self, order, blobs, report):
        self.orders.append(order)
        self.blobs.append(blobs)
        if self.failure:
            failure, self.failure = self.failure, None
            raise failure
        self.working += 1
        try:
            await report({"done": 0, "count": 2})
            if self.hold:
                await asyncio.Event().wait()
            await report({"done": 1, "count": 2})
            await report({"done": 2, "count": 2})
        finally:
            self.working -= 1
        source = opened(blobs[0])
        size = tuple(round(side * order.get("factor", 1)) for side in source.size)
        return ChildAnswer(values={}, blobs=(picture(size=size, color=(200, 60, 60)),))

    async def aclose(self):
        pass
