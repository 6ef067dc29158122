from parts.ring import LRUCache
__all__ = ['LRUCache']
