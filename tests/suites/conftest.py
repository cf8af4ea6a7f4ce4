collect_ignore = ["django_shop", "fastapi_shop"]  # test-suites of others, run by themselves
