def assert_equal(*a): pass
