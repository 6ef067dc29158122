"""One module a verb, or a few verbs that belong together; each is imported only when it is invoked."""
