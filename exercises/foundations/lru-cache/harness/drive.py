"""Drives a cache through long traces, and reports what it answered."""

import gc
import weakref

from lru_cache import LRUCache


def replay(cache, operations, keys, values):
    """The answers of a cache to a trace; an operation is 0 for get, 1 for put, 2 for delete."""
    get, put, delete = cache.get, cache.put, cache.delete
    answers = []
    for operation, key, value in zip(operations.tolist(), keys.tolist(), values.tolist(), strict=True):
        if operation == 0:
            answers.append(get(key))
        elif operation == 1:
            answers.append(put(key, value))
        else:
            answers.append(delete(key))
    return answers


class Block:
    """A value whose end can be seen."""


def alive_after(capacity, trace):
    """How many values are still in memory after a trace of ("put", key) and ("delete", key)."""
    cache = LRUCache(capacity)
    blocks = []
    for operation, key in trace:
        if operation == "put":
            block = Block()
            blocks.append(weakref.ref(block))
            cache.put(key, block)
            del block
        else:
            cache.delete(key)
    gc.collect()
    return [len(cache), sum(block() is not None for block in blocks)]
