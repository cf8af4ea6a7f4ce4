-- A role that may read everything, for the harness; `prove` makes it, a deployment that is not tested has none.
\getenv watcher BILLING_WATCHER_PASSWORD
DO $$
BEGIN
  -- Left behind by a run that was killed.
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'billing_watcher') THEN
    DROP OWNED BY billing_watcher;
    DROP ROLE billing_watcher;
  END IF;
END $$;
CREATE ROLE billing_watcher LOGIN PASSWORD :'watcher' IN ROLE pg_read_all_data;
GRANT CONNECT ON DATABASE billing TO billing_watcher;
