"""Name lookups that never keep the program from ending.

asyncio looks names up in threads of its default executor, and waits for them at the end: with a name server that is
silent, Ctrl-C would take as long as the lookup.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class _Abandoning(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own, which nobody waits for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, daemon=True, name="lookup").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nobody."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)


def abandon_lookups_at_end() -> None:
    """For the running loop: its lookups end with the process, not the process with them."""
    asyncio.get_running_loop().set_default_executor(_Abandoning())
